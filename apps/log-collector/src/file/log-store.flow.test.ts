import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { logLine, storedLines, temporaryFolder } from '../testing/folder.js';
import { openLogStore, type FreeSpace, type LogStore, type LogStoreLimits } from './log-store.js';

const LIMITS: LogStoreLimits = { fileBytes: 1000, files: 3, days: 30, minFreeBytes: 0 };
const DAY_MS = 24 * 60 * 60 * 1000;

describe('the log store', () => {
  let folder: { path: string; remove(): void };
  let logger: FakeLogger;
  beforeEach(() => {
    folder = temporaryFolder();
    logger = new FakeLogger();
  });
  afterEach(() => { folder.remove(); });

  const open = (limits: Partial<LogStoreLimits> = {}, freeSpace?: FreeSpace): Promise<LogStore> => openLogStore(folder.path, { ...LIMITS, ...limits }, logger, freeSpace);
  const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => logLine(from + index));
  const append = (store: LogStore, texts: readonly string[], service = 'registry') => store.append(texts.map((text) => ({ service, text })));
  const names = (service = 'registry'): string[] => readdirSync(join(folder.path, service)).sort();

  test('has each line in the file of its service when append resolves', async () => {
    const store = await open();
    await store.append([{ service: 'core', text: logLine(1) }, { service: 'registry', text: logLine(2) }, { service: 'core', text: logLine(3) }]);
    expect(readFileSync(join(folder.path, 'core/current.jsonl'), 'utf8')).toBe(`${logLine(1)}\n${logLine(3)}\n`);
    expect(readFileSync(join(folder.path, 'registry/current.jsonl'), 'utf8')).toBe(`${logLine(2)}\n`);
    await store.close();
  });

  test('M-24: rotates by size, compresses, keeps order, and keeps only so many files', async () => {
    const store = await open({ files: 1000 });
    for (let batch = 0; batch < 10; batch++) await append(store, lines(batch * 20, batch * 20 + 20));
    await store.close();
    expect(storedLines(join(folder.path, 'registry'))).toEqual(lines(0, 200));
    const rotated = names().filter((name) => name.endsWith('.gz'));
    expect(rotated[0]).toBe('00000001.jsonl.gz');
    expect(names()).toEqual([...rotated, 'current.jsonl']);
    expect(readFileSync(join(folder.path, 'registry/current.jsonl')).length).toBeLessThanOrEqual(1000);

    const smaller = await open({ files: 3 });
    await append(smaller, lines(200, 220));
    await smaller.close();
    expect(names()).toHaveLength(4);
    expect(storedLines(join(folder.path, 'registry')).at(-1)).toBe(logLine(219));
  });

  test('takes a line longer than a file', async () => {
    const store = await open();
    const long = logLine(1, { pad: 'x'.repeat(5000) });
    await append(store, [logLine(0), long, logLine(2)]);
    await store.close();
    expect(storedLines(join(folder.path, 'registry'))).toEqual([logLine(0), long, logLine(2)]);
  });

  test('removes files that are too old', async () => {
    mkdirSync(join(folder.path, 'core'), { recursive: true });
    for (const [name, days] of [['00000001.jsonl.gz', 31], ['00000002.jsonl.gz', 29]] as const) {
      writeFileSync(join(folder.path, 'core', name), gzipSync('{}\n'));
      const at = new Date(Date.now() - days * DAY_MS);
      utimesSync(join(folder.path, 'core', name), at, at);
    }
    await (await open()).close();
    expect(names('core')).toEqual(['00000002.jsonl.gz', 'current.jsonl']);
  });

  test('after a crash, removes a torn line and finishes what was begun', async () => {
    const store = await open();
    await append(store, lines(0, 3));
    await store.close();
    const service = join(folder.path, 'registry');
    appendFileSync(join(service, 'current.jsonl'), '{"time":"2026-01');
    writeFileSync(join(service, '00000007.jsonl'), `${logLine(-1)}\n`);
    writeFileSync(join(service, '00000007.jsonl.gz.tmp'), 'half');

    const restarted = await open();
    expect(restarted.consumer).toBe(store.consumer);
    await append(restarted, lines(3, 4));
    await restarted.close();
    expect(names()).toEqual(['00000007.jsonl.gz', 'current.jsonl']);
    expect(storedLines(service)).toEqual([logLine(-1), ...lines(0, 4)]);

    const again = await open({ fileBytes: 10 });
    await append(again, lines(4, 6));
    await again.close();
    expect(names()).toContain('00000008.jsonl.gz');
  });

  test('removes the oldest file of all services, and says so, while space is short', async () => {
    const store = await open({ files: 100 });
    await append(store, lines(0, 20), 'core');
    await append(store, lines(0, 20), 'registry');
    await store.close();
    const past = new Date(Date.now() - DAY_MS);
    utimesSync(join(folder.path, 'registry/00000001.jsonl.gz'), past, past);
    const [core, registry] = [names('core'), names('registry')];

    let asked = 0;
    const guarded = await open({ files: 100, fileBytes: 100_000, minFreeBytes: 1 }, async () => asked++ === 0 ? 0 : 1);
    await append(guarded, lines(20, 21));
    await guarded.close();
    expect(names('core')).toEqual(core);
    expect(names('registry')).toEqual(registry.filter((name) => name !== '00000001.jsonl.gz'));
    expect(logger.lines.filter((line) => line.level === 'warn').map((line) => line.fields['file'])).toEqual([join(folder.path, 'registry/00000001.jsonl.gz')]);
    expect(storedLines(join(folder.path, 'registry')).at(-1)).toBe(logLine(20));
  });

  test('goes on writing when space is short and nothing is left to remove', async () => {
    const store = await open({ minFreeBytes: 1 }, async () => 0);
    await append(store, lines(0, 2));
    await store.close();
    expect(storedLines(join(folder.path, 'registry'))).toEqual(lines(0, 2));
  });

  test('bounds the number of folders', async () => {
    const store = await open();
    for (let index = 0; index < 80; index++) await append(store, [logLine(index)], `service-${index}`);
    await store.close();
    expect(readdirSync(folder.path).filter((name) => name.startsWith('service-'))).toHaveLength(64);
    expect(storedLines(join(folder.path, 'unknown'))).toHaveLength(16);
  });

  test('refuses a damaged id instead of reading as somebody else', async () => {
    writeFileSync(join(folder.path, '.collector-id'), 'x');
    await expect(open()).rejects.toThrow('.collector-id');
    expect(existsSync(join(folder.path, 'registry'))).toBe(false);
  });
});
