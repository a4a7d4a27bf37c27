import { expect, test } from '@jest/globals';
import { DirectoryFault } from './directory-fault.js';
import { parseServers, type DirectoryServer } from './directory-url.js';
import { AVOID_MS, GIVE_UP_MS, ServerFailures } from './server-failures.js';

const [a, b] = parseServers('ldap://a ldap://b') as [DirectoryServer, DirectoryServer];
const silent = new DirectoryFault('slow', 'a did not answer');
const gone = new DirectoryFault('unreachable', 'b is gone');

function clocked() {
  let now = 1_000_000;
  const failures = new ServerFailures(() => now);
  const order = (): string[] => failures.inOrder([{ server: a }, { server: b }]).map(({ server }) => server.host);
  return { failures, order, pass: (ms: number) => { now += ms; } };
}

test('a server that failed is asked last, for half a minute or until it works', () => {
  const { failures, order, pass } = clocked();
  failures.note(a, silent);
  expect(order()).toEqual(['b', 'a']);
  pass(AVOID_MS);
  expect(order()).toEqual(['a', 'b']);
  failures.note(a, silent);
  failures.forget(a);
  expect(order()).toEqual(['a', 'b']);
});

test('faults that are not the server’s own are not held against it', () => {
  const { failures, order } = clocked();
  for (const kind of ['refused', 'elsewhere', 'referral', 'ambiguous'] as const) failures.note(a, new DirectoryFault(kind, kind), { unopened: true });
  failures.note(a, new Error('a fault of this program'), { unopened: true });
  expect(order()).toEqual(['a', 'b']);
  expect(() => failures.requireHope([a])).not.toThrow();
});

test('while none of several can be connected to the last fault is told at once, for a moment', () => {
  const { failures, pass } = clocked();
  failures.note(a, silent, { unopened: true });
  expect(() => failures.requireHope([a, b])).not.toThrow();
  pass(GIVE_UP_MS);
  failures.note(b, gone, { unopened: true });
  expect(() => failures.requireHope([a, b])).toThrow(gone);
  expect(() => failures.requireHope([b])).toThrow(gone);
  expect(() => failures.requireHope([a])).not.toThrow();
  pass(GIVE_UP_MS);
  expect(() => failures.requireHope([a, b])).not.toThrow();
});

test('a search that failed does not keep others from trying', () => {
  const { failures } = clocked();
  failures.note(a, silent);
  expect(() => failures.requireHope([a])).not.toThrow();
});
