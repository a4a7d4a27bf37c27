import { describe, expect, test } from '@jest/globals';
import type { Search } from './directory-connection.js';
import { DirectoryEntry } from './directory-entry.js';
import { DirectoryFault } from './directory-fault.js';
import { parseServers, type DirectoryServer } from './directory-url.js';
import { ReferralWalk, type SearchAnswer } from './referral-walk.js';
import { referralHosts } from './referral-url.js';
import { ServerFailures } from './server-failures.js';

type Answers = Readonly<Record<string, Partial<SearchAnswer> | Error>>;

const SEARCH: Search = { base: 'dc=x', scope: 'sub', filter: '(uid=ann)', attributes: ['uid'], most: 2 };

function server(name: string): DirectoryServer {
  const [found] = parseServers(`ldap://${name}`) as DirectoryServer[];
  if (found === undefined) throw new Error(name);
  return found;
}

const entry = (dn: string, at = 'a'): DirectoryEntry => new DirectoryEntry({ dn, uid: 'ann' }, server(at));

/** Servers a, b, … that answer by "host base"; resolves to the DNs that are found. */
function bench(answers: Answers, { hosts = 'a b c d e f g h', startTls = true, verify = true, failed = '' } = {}) {
  const asked: string[] = [];
  const searches: Search[] = [];
  const unfollowed: string[] = [];
  const failures = new ServerFailures();
  for (const name of failed) failures.note(server(name), new DirectoryFault('slow', name));
  const at = (one: DirectoryServer) => ({
    server: one,
    ask: async (search: Search): Promise<SearchAnswer> => {
      asked.push(`${one.host} ${search.base}`);
      searches.push(search);
      const answer = answers[`${one.host} ${search.base}`] ?? {};
      if (answer instanceof Error) throw answer;
      return { entries: [], references: [], elsewhere: false, ...answer };
    },
  });
  const walk = new ReferralWalk({ access: { referralHosts: referralHosts(hosts), startTls, verify }, at, failures, unfollowed: (reference) => unfollowed.push(reference) });
  const find = (search = SEARCH): Promise<DirectoryEntry[]> => walk.search(at(server('a')), search);
  const run = async (search = SEARCH): Promise<string[]> => (await find(search)).map(({ dn }) => dn);
  return { find, run, asked, searches, unfollowed };
}

describe('following references', () => {
  test('finds what is elsewhere, and asks nobody twice', async () => {
    const { run, asked, unfollowed } = bench({
      'a dc=x': { references: ['ldap://b/ou=1,dc=x??sub', 'ldap://c/ou=2,dc=x??sub', 'ldap://b/OU=1, dc=x??sub'] },
      'c ou=2,dc=x': { entries: [entry('uid=ann,ou=2,dc=x')], references: ['ldap://b/ou=1,dc=x??sub'] },
    });
    expect(await run()).toEqual(['uid=ann,ou=2,dc=x']);
    expect(asked).toEqual(['a dc=x', 'b ou=1,dc=x', 'c ou=2,dc=x']);
    expect(unfollowed).toEqual([]);
  });

  test('keeps what the server itself found, once, and stops when there is enough', async () => {
    const found = bench({ 'a dc=x': { entries: [entry('uid=ann,dc=x')], references: ['ldap://b/dc=x'] }, 'b dc=x': { entries: [entry('UID=Ann, dc=x'), entry('uid=ann,ou=b,dc=x')] } });
    expect(await found.run()).toEqual(['uid=ann,dc=x', 'uid=ann,ou=b,dc=x']);
    const enough = bench({ 'a dc=x': { entries: [entry('uid=a,dc=x'), entry('uid=b,dc=x')], references: ['ldap://b/dc=x'] } });
    expect(await enough.run()).toEqual(['uid=a,dc=x', 'uid=b,dc=x']);
    expect(enough.asked).toEqual(['a dc=x']);
  });

  test('takes the entry of the server that was asked first when several have it: its password is checked there', async () => {
    const { find } = bench({
      'a dc=x': { references: ['ldap://b/ou=1,dc=x', 'ldap://c/ou=2,dc=x'] },
      'b ou=1,dc=x': { entries: [entry('uid=ann,dc=x', 'b')] },
      'c ou=2,dc=x': { entries: [entry('uid=ann,dc=x', 'c')] },
    });
    expect((await find()).map(({ server: one }) => one?.host)).toEqual(['b']);
  });

  test('an entry that is found twice is one, also when it is counted whether there are enough', async () => {
    const { run } = bench({
      'a dc=x': { entries: [entry('uid=ann,dc=x')], references: ['ldap://b/dc=x', 'ldap://c/ou=1,dc=x'] },
      'b dc=x': { entries: [entry('uid=ann,dc=x')] },
      'c ou=1,dc=x': { entries: [entry('uid=ann,ou=1,dc=x')] },
    });
    expect(await run()).toEqual(['uid=ann,dc=x', 'uid=ann,ou=1,dc=x']);
  });

  test('references that differ in their filter are not alternatives', async () => {
    const { run, searches } = bench({
      'a dc=x': { references: ['ldap://b/dc=x??sub?(ou=1)', 'ldap://b/dc=x??sub?(ou=2)'] },
      'b dc=x': { entries: [entry('uid=ann,dc=x')] },
    });
    expect(await run()).toEqual(['uid=ann,dc=x']);
    expect(searches.slice(1).map(({ filter }) => filter)).toEqual(['(&(uid=ann)(ou=1))', '(&(uid=ann)(ou=2))']);
  });

  test('takes base and scope of the reference; its filter only narrows', async () => {
    const { run, searches } = bench({ 'a dc=x': { references: ['ldap://b/ou=1,dc=x??base?(objectClass=person)', 'ldap://c/'] } });
    await run();
    expect(searches[1]).toEqual({ ...SEARCH, base: 'ou=1,dc=x', scope: 'base', filter: '(&(uid=ann)(objectClass=person))' });
    expect(searches[2]).toEqual(SEARCH);
  });

  test('leaves out hosts that are not allowed and addresses that are none, and tells of them', async () => {
    const { run, asked, unfollowed } = bench({ 'a dc=x': { references: ['ldap://evil/dc=x', 'ldap://b:3389/dc=x', 'http://b/dc=x', 'ldap://c/dc=x'] } }, { hosts: 'c' });
    expect(await run()).toEqual([]);
    expect(asked).toEqual(['a dc=x', 'c dc=x']);
    expect(unfollowed).toEqual(['ldap://evil/dc=x', 'ldap://b:3389/dc=x', 'http://b/dc=x']);
  });

  test('asks the next of several servers for the same place when one does not work', async () => {
    const { run, asked } = bench({ 'a dc=x': { references: ['ldap://b/ou=1,dc=x', 'ldap://c/ou=1,dc=x'] }, 'b ou=1,dc=x': new DirectoryFault('unreachable', 'b is down'), 'c ou=1,dc=x': { entries: [entry('uid=ann,ou=1,dc=x')] } });
    expect(await run()).toEqual(['uid=ann,ou=1,dc=x']);
    expect(asked).toEqual(['a dc=x', 'b ou=1,dc=x', 'c ou=1,dc=x']);
  });

  test('asks those that failed lately last', async () => {
    const { run, asked } = bench({ 'a dc=x': { references: ['ldap://b/ou=1,dc=x', 'ldap://c/ou=1,dc=x', 'ldap://b/ou=2,dc=x'] } }, { failed: 'b' });
    expect(await run()).toEqual([]);
    expect(asked).toEqual(['a dc=x', 'c ou=1,dc=x', 'b ou=2,dc=x']);
  });

  test('what was found under a server whose answer is thrown away is found again under the next, without asking again', async () => {
    const { run, asked } = bench({
      'a dc=x': { references: ['ldap://b/ou=1,dc=x', 'ldap://c/ou=1,dc=x'] },
      'b ou=1,dc=x': { references: ['ldap://d/ou=2,dc=x', 'ldap://e/ou=3,dc=x'] },
      'c ou=1,dc=x': { references: ['ldap://d/ou=2,dc=x'] },
      'd ou=2,dc=x': { entries: [entry('uid=ann,ou=2,dc=x')] },
      'e ou=3,dc=x': new DirectoryFault('unreachable', 'e is down'),
    });
    expect(await run()).toEqual(['uid=ann,ou=2,dc=x']);
    expect(asked).toEqual(['a dc=x', 'b ou=1,dc=x', 'd ou=2,dc=x', 'e ou=3,dc=x', 'c ou=1,dc=x']);
  });
});

describe('what is wrong with references', () => {
  const fault = (message: RegExp): object => expect.objectContaining({ kind: 'referral', message: expect.stringMatching(message) }) as object;

  test('a circle of two, and of a server with itself', async () => {
    await expect(bench({ 'a dc=x': { references: ['ldap://b/dc=x'] }, 'b dc=x': { references: ['ldap://a/DC=X'] } }).run()).rejects.toEqual(fault(/in a circle: ldap:\/\/a:389\/dc=x\?\?sub → ldap:\/\/b:389\/dc=x\?\?sub → ldap:\/\/a:389/));
    await expect(bench({ 'a dc=x': { elsewhere: true, references: ['ldap://a/dc=x'] } }).run()).rejects.toEqual(fault(/in a circle/));
  });

  test('a circle behind one of several servers for the same place', async () => {
    const answers: Answers = { 'a dc=x': { references: ['ldap://b/ou=1,dc=x', 'ldap://c/ou=1,dc=x'] }, 'b ou=1,dc=x': { references: ['ldap://c/ou=1,dc=x'] }, 'c ou=1,dc=x': { references: ['ldap://b/ou=1,dc=x'] } };
    await expect(bench(answers).run()).rejects.toEqual(fault(/in a circle/));
    const out = bench({ ...answers, 'c ou=1,dc=x': { entries: [entry('uid=ann,ou=1,dc=x')], references: ['ldap://d/ou=2,dc=x'] } });
    expect(await out.run()).toEqual(['uid=ann,ou=1,dc=x']);
  });

  test('a circle of references that narrow more and more', async () => {
    const narrowing = bench({ 'a dc=x': { references: ['ldap://b/dc=x??sub?(ou=1)'] }, 'b dc=x': { references: ['ldap://a/dc=x??sub?(ou=2)'] } });
    await expect(narrowing.run()).rejects.toEqual(fault(/in a circle/));
    expect(narrowing.asked).toEqual(['a dc=x', 'b dc=x']);
  });

  test('a server that does not work, to which each of several servers for one place refers', async () => {
    const { run, asked } = bench({
      'a dc=x': { references: ['ldap://b/ou=1,dc=x', 'ldap://c/ou=1,dc=x'] },
      'b ou=1,dc=x': { references: ['ldap://d/ou=2,dc=x'] },
      'c ou=1,dc=x': { entries: [entry('uid=ann,ou=1,dc=x')], references: ['ldap://d/ou=2,dc=x'] },
      'd ou=2,dc=x': new DirectoryFault('unreachable', 'd is down'),
    });
    await expect(run()).rejects.toEqual(fault(/d is down/));
    expect(asked).toEqual(['a dc=x', 'b ou=1,dc=x', 'd ou=2,dc=x', 'c ou=1,dc=x']);
  });

  test('more than five deep', async () => {
    const chain = (length: number): Answers => Object.fromEntries(Array.from({ length }, (_, index) => [`${'abcdefgh'[index]} ${index === 0 ? 'dc=x' : `ou=${index},dc=x`}`, { references: [`ldap://${'abcdefgh'[index + 1]}/ou=${index + 1},dc=x`] }]));
    expect(await bench(chain(5)).run()).toEqual([]);
    const deep = bench(chain(6));
    await expect(deep.run()).rejects.toEqual(fault(/more than 5 deep/));
    expect(deep.asked).toHaveLength(6);
  });

  test('more than twenty at all', async () => {
    const many = bench({ 'a dc=x': { references: Array.from({ length: 30 }, (_, index) => `ldap://b/ou=${index},dc=x`) } });
    await expect(many.run()).rejects.toEqual(fault(/more than 20 references/));
    expect(many.asked).toHaveLength(21);
  });

  test('a place that is only elsewhere, where nobody may look', async () => {
    const { run } = bench({ 'a dc=x': { elsewhere: true, references: ['ldap://evil/dc=x'] } }, { hosts: '' });
    const fault = (message: RegExp): object => expect.objectContaining({ kind: 'elsewhere', message: expect.stringMatching(message) }) as object;
    await expect(run()).rejects.toEqual(fault(/ldap:\/\/a:389 says that dc=x is on another server \(ldap:\/\/evil\/dc=x\).*ldap_referral_hosts/));
    await expect(bench({ 'a dc=x': { elsewhere: true } }).run()).rejects.toEqual(fault(/which it does not name/));
  });

  test('a server that does not work, or that would be shown the password in clear', async () => {
    const references = ['ldap://b/dc=x'];
    await expect(bench({ 'a dc=x': { references }, 'b dc=x': new DirectoryFault('slow', 'b did not answer in time') }).run()).rejects.toEqual(fault(/following a reference of the directory to ldap:\/\/b\/dc=x: b did not answer/));
    const clear = bench({ 'a dc=x': { references } }, { startTls: false });
    await expect(clear.run()).rejects.toEqual(fault(/ldap:\/\/b:389 would carry passwords in clear/));
    expect(clear.asked).toEqual(['a dc=x']);
    expect(await bench({ 'a dc=x': { references: ['ldaps://b/dc=x'] } }, { startTls: false }).run()).toEqual([]);
    expect(await bench({ 'a dc=x': { references } }, { startTls: false, verify: false }).run()).toEqual([]);
  });
});
