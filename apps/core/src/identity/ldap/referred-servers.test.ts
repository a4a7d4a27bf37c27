import { describe, expect, test } from '@jest/globals';
import type { Search } from './directory-connection.js';
import { DirectoryFault } from './directory-fault.js';
import { parseServers, type DirectoryServer } from './directory-url.js';
import { ReferredServers } from './referred-servers.js';
import { ServerFailures } from './server-failures.js';

const SEARCH: Search = { base: 'dc=x', scope: 'sub', filter: '(uid=ann)', attributes: ['uid'], most: 2 };
const ANSWER = { entries: [], references: [], elsewhere: false };
const [a, b] = parseServers('ldap://a ldap://b') as [DirectoryServer, DirectoryServer];
const down = new DirectoryFault('unreachable', 'it is down');

/** A connection that notes what becomes of it. */
class Line {
  usable = true;
  closed = false;
  asked = 0;
  /** Thrown by the next question. */
  fault: Error | undefined;

  ask(): Promise<typeof ANSWER> {
    this.asked += 1;
    if (this.fault === undefined) return Promise.resolve(ANSWER);
    this.usable = false;
    return Promise.reject(this.fault);
  }

  close(): Promise<void> {
    this.closed = true;
    this.usable = false;
    return Promise.resolve();
  }
}

function bench(open: (server: DirectoryServer) => Promise<void> = () => Promise.resolve()) {
  const lines: Line[] = [];
  const opened: string[] = [];
  const failures = new ServerFailures(() => 0);
  const servers = new ReferredServers(async (server) => {
    opened.push(server.host);
    await open(server);
    const line = new Line();
    lines.push(line);
    return line;
  }, failures);
  return { servers, lines, opened, failures };
}

describe('connections to servers that references name', () => {
  test('are one for all who ask at once, and kept', async () => {
    const { servers, lines, opened } = bench();
    await Promise.all(Array.from({ length: 5 }, () => servers.at(a).ask(SEARCH)));
    await servers.at(a).ask(SEARCH);
    expect(opened).toEqual(['a']);
    expect(lines.map(({ asked }) => asked)).toEqual([6]);
  });

  test('are made anew, once, when they were lost; the lost one is closed', async () => {
    const { servers, lines, failures } = bench();
    await servers.at(a).ask(SEARCH);
    Object.assign(lines[0] ?? {}, { fault: down });
    await servers.at(a).ask(SEARCH);
    expect(lines.map(({ asked, closed }) => [asked, closed])).toEqual([[2, true], [1, false]]);
    expect(failures.inOrder([{ server: a }, { server: b }])[0]?.server.host).toBe('a');
    Object.assign(lines[1] ?? {}, { usable: false });
    await servers.at(a).ask(SEARCH);
    expect(lines.map(({ asked, closed }) => [asked, closed])).toEqual([[2, true], [1, true], [1, false]]);
  });

  test('are not asked again for what they refused', async () => {
    const { servers, lines } = bench();
    await servers.at(a).ask(SEARCH);
    Object.assign(lines[0] ?? {}, { fault: new DirectoryFault('refused', 'no') });
    await expect(servers.at(a).ask(SEARCH)).rejects.toThrow('no');
    expect(lines).toHaveLength(1);
  });

  test('are not tried again at once while none of several can be made', async () => {
    const { servers, opened } = bench(() => Promise.reject(down));
    await expect(Promise.all([servers.at(a, [a, b]).ask(SEARCH), servers.at(a, [a, b]).ask(SEARCH)])).rejects.toThrow(down);
    await expect(servers.at(b, [a, b]).ask(SEARCH)).rejects.toThrow(down);
    for (const server of [a, b]) await expect(servers.at(server, [a, b]).ask(SEARCH)).rejects.toThrow(down);
    expect(opened).toEqual(['a', 'b']);
  });
});

describe('when the connection that led to them is closed', () => {
  test('they are closed, and no others made', async () => {
    const { servers, lines, opened, failures } = bench();
    await servers.at(a).ask(SEARCH);
    await servers.close();
    for (const server of [a, b]) await expect(servers.at(server).ask(SEARCH)).rejects.toEqual(expect.objectContaining({ kind: 'unreachable' }));
    expect(opened).toEqual(['a']);
    expect(lines.map(({ closed }) => closed)).toEqual([true]);
    expect(failures.inOrder([{ server: a }, { server: b }])[0]?.server.host).toBe('a'); // it did nothing wrong
  });

  test('one that is being made is closed when it is there', async () => {
    let finish = (): void => undefined;
    const { servers, lines } = bench(() => new Promise((resolve) => { finish = resolve; }));
    const asking = servers.at(a).ask(SEARCH).catch((error: unknown) => error);
    await new Promise(setImmediate);
    const closing = servers.close();
    finish();
    await closing;
    await asking;
    expect(lines.map(({ closed }) => closed)).toEqual([true]);
  });
});
