import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { openLogStore } from '../file/log-store.js';
import { logLine, temporaryFolder } from '../testing/folder.js';
import { Follower } from './follow.js';
import { newestRecords } from './newest.js';
import { parseQuery, type Query } from './query.js';

describe('searching', () => {
  let folder: { path: string; remove(): void };
  beforeEach(() => { folder = temporaryFolder(); });
  afterEach(() => { folder.remove(); });

  const query = (...args: string[]): Query => parseQuery(['--dir', folder.path, ...args]);
  const found = async (...args: string[]): Promise<unknown[]> => (await newestRecords(query(...args))).map((record) => record.fields['message']);
  const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
  const block = (from: number, to: number, fields: Record<string, unknown> = {}): string => Array.from({ length: to - from }, (_, index) => `${logLine(from + index, fields)}\n`).join('');

  function put(service: string, name: string, content: string): void {
    mkdirSync(join(folder.path, service), { recursive: true });
    writeFileSync(join(folder.path, service, name), name.endsWith('.gz') ? gzipSync(content) : content);
  }

  test('merges services and their rotated files in order of time', async () => {
    put('registry', '00000001.jsonl.gz', block(0, 10));
    put('registry', '00000002.jsonl', block(20, 30));
    put('registry', 'current.jsonl', block(40, 50));
    put('core', '00000009.jsonl.gz', block(10, 20, { service: 'core' }));
    put('core', 'current.jsonl', block(30, 40, { service: 'core' }));
    expect(await found()).toEqual(range(0, 50));
    expect(await found('-n', '25')).toEqual(range(25, 50));
    expect(await found('-n', '0')).toEqual([]);
    expect(await found('--service', 'core')).toEqual([...range(10, 20), ...range(30, 40)]);
    expect(await found('--service', 'proxy')).toEqual([]);
  });

  test('selects by level, time, request and text', async () => {
    put('registry', '00000001.jsonl.gz', block(0, 5));
    put('registry', 'current.jsonl', [logLine(5), logLine(6, { level: 'warn', requestId: 'r6' }), logLine(7, { level: 'error', path: '/V2/' }), logLine(8, { note: 'r6' })].join('\n') + '\n');
    expect(await found('--level', 'warn')).toEqual(['line 6', 'line 7']);
    expect(await found('--since', '2026-01-01T00:00:04Z')).toEqual(range(4, 9));
    expect(await found('--request-id', 'r6')).toEqual(['line 6']);
    expect(await found('--grep', '/v2/')).toEqual(['line 7']);
  });

  test('reads large files from their end, with lines across block borders and wide characters', async () => {
    const wide = (second: number) => logLine(second, { pad: '€'.repeat(second % 3000) });
    put('registry', 'current.jsonl', Array.from({ length: 600 }, (_, second) => `${wide(second)}\n`).join(''));
    expect((await newestRecords(query('-n', '599'))).map((record) => record.line)).toEqual(Array.from({ length: 599 }, (_, index) => wide(index + 1)));
    expect((await newestRecords(query('-n', '1000')))).toHaveLength(600);
  });

  test('reads lines longer than a block', async () => {
    const long = logLine(1, { pad: 'x'.repeat(200_000) });
    put('registry', 'current.jsonl', `${logLine(0)}\n${long}\n${logLine(2)}\n`);
    expect((await newestRecords(query())).map((record) => record.line)).toEqual([logLine(0), long, logLine(2)]);
  });

  test('says so when a compressed file is damaged, instead of showing less', async () => {
    put('registry', '00000001.jsonl.gz', '');
    writeFileSync(join(folder.path, 'registry/00000001.jsonl.gz'), gzipSync(block(0, 1000)).subarray(0, 200));
    await expect(found()).rejects.toThrow('unexpected end of file');
  });

  test('leaves out a line that is being written', async () => {
    put('registry', 'current.jsonl', `${logLine(1)}\n{"time":"20`);
    expect(await found()).toEqual(['line 1']);
  });
});

describe('following', () => {
  let folder: { path: string; remove(): void };
  beforeEach(() => { folder = temporaryFolder(); });
  afterEach(() => { folder.remove(); });

  test('sees each line once: those before, those after, those of new services, and across a rotation', async () => {
    const query = parseQuery(['--dir', folder.path, '-f']);
    const registry = join(folder.path, 'registry');
    mkdirSync(registry);
    writeFileSync(join(registry, 'current.jsonl'), `${logLine(0)}\n{"time":"20`);
    const follower = await Follower.begin(query);
    appendFileSync(join(registry, 'current.jsonl'), `26"}\n${logLine(1)}\n`);
    const messages = (records: { fields: Readonly<Record<string, unknown>> }[]) => records.map((record) => record.fields['message']);
    expect(messages(await newestRecords(query, follower.from))).toEqual(['line 0']);
    expect(messages(await follower.poll())).toEqual([undefined, 'line 1']);

    appendFileSync(join(registry, 'current.jsonl'), `${logLine(2)}\n`);
    renameSync(join(registry, 'current.jsonl'), join(registry, '00000001.jsonl'));
    writeFileSync(join(registry, 'current.jsonl'), `${logLine(4)}\n`);
    mkdirSync(join(folder.path, 'core'));
    writeFileSync(join(folder.path, 'core/current.jsonl'), `${logLine(3, { service: 'core' })}\n${logLine(5)}`);
    expect(messages(await follower.poll())).toEqual(['line 2', 'line 3', 'line 4']);
    appendFileSync(join(folder.path, 'core/current.jsonl'), '\n');
    expect(messages(await follower.poll())).toEqual(['line 5']);
    expect(await follower.poll()).toEqual([]);
    const stop = new AbortController();
    stop.abort();
    for await (const batch of follower.batches(stop.signal)) expect(batch).toEqual([]);
  });

  test('loses and doubles nothing while a store writes and rotates', async () => {
    const query = parseQuery(['--dir', folder.path, '-f']);
    const store = await openLogStore(folder.path, { fileBytes: 40_000, files: 1000, days: 30, minFreeBytes: 0 }, new FakeLogger());
    const stop = new AbortController();
    const seen: unknown[] = [];
    const follower = await Follower.begin(query);
    const following = (async () => { for await (const batch of follower.batches(stop.signal)) seen.push(...batch.map((record) => record.fields['message'])); })();
    for (let second = 0; second < 300; second++) {
      await store.append([{ service: 'registry', text: logLine(second, { pad: 'x'.repeat(100) }) }]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, 600));
    stop.abort();
    await following;
    await store.close();
    expect(seen).toEqual(Array.from({ length: 300 }, (_, second) => `line ${second}`));
  });
});
