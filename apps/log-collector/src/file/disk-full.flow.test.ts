import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { logLine, storedLines, temporaryFolder } from '../testing/folder.js';
import { openLogStore, type LogStore } from './log-store.js';

function mountSmallDisk(path: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'haven-test', path], { stdio: 'ignore' });
}

function unmount(path: string): void {
  execFileSync('umount', ['--lazy', path], { stdio: 'ignore' });
}

/** A disk of its own that can really be full needs the right to mount one. */
function mayMount(): boolean {
  const folder = temporaryFolder();
  try {
    mountSmallDisk(folder.path);
    unmount(folder.path);
    return true;
  } catch {
    return false;
  } finally {
    folder.remove();
  }
}

/** Takes all the space that is left. */
function fill(path: string): void {
  for (let size = 256 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(join(path, '.filling'), Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}

(mayMount() ? describe : describe.skip)('a full disk', () => {
  let folder: { path: string; remove(): void };
  let logger: FakeLogger;
  let store: LogStore;
  beforeEach(async () => {
    folder = temporaryFolder();
    mountSmallDisk(folder.path);
    logger = new FakeLogger();
    store = await openLogStore(folder.path, { fileBytes: 40_000, files: 100, days: 30, minFreeBytes: 0 }, logger);
  });
  afterEach(async () => {
    await store.close();
    unmount(folder.path);
    folder.remove();
  });

  // Random text, so that compression does not make room.
  const line = (second: number) => logLine(second, { pad: Array.from({ length: 100 }, () => Math.random().toString(36)).join('') });
  const append = (text: string) => store.append([{ service: 'registry', text }]);
  const stored = () => storedLines(join(folder.path, 'registry'));

  test('costs the oldest files, and never the newest lines', async () => {
    const written = Array.from({ length: 300 }, (_, second) => line(second));
    for (const text of written) await append(text);
    const kept = stored();
    expect(kept.length).toBeGreaterThan(20);
    expect(kept).toEqual(written.slice(-kept.length));
    expect(logger.messages('warn')).toContain('the oldest log file was removed to make room');
  });

  test('that nothing can be removed from rejects the lines, leaves no torn one, and takes them once there is room', async () => {
    await append(line(0));
    fill(folder.path);
    const refused = Array.from({ length: 20 }, (_, index) => line(index + 1));
    await expect((async () => { for (const text of refused) await append(text); })()).rejects.toThrow('ENOSPC');
    for (const text of stored()) expect(JSON.parse(text)).toMatchObject({ service: 'registry' });
    rmSync(join(folder.path, '.filling'));
    for (const text of refused) await append(text);
    expect(stored().slice(-20)).toEqual(refused);
    expect(readdirSync(join(folder.path, 'registry'))).toContain('current.jsonl');
  });
});
