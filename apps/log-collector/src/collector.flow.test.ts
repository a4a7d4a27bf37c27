import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { logLine, storedLines, temporaryFolder } from './testing/folder.js';
import { inheritedEnvironment, testRedisUrl } from './testing/settings.js';

// Only a process of its own can be killed; it runs the built files (`npm run build`).
const built = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

describe('the log collector as a process', () => {
  let folder: { path: string; remove(): void };
  let messages: Messages;
  let collector: ChildProcess | undefined;
  let database = 6;

  beforeAll(() => {
    if (!existsSync(built('main.js'))) throw new Error('build first: npm run build');
  });
  beforeEach(async () => {
    folder = temporaryFolder();
    database++; // Nothing of an earlier test is in the stream.
    messages = connectRedis(testRedisUrl(database), new FakeLogger());
  });
  afterEach(async () => {
    await end('SIGKILL');
    await messages.close();
    folder.remove();
  });

  function start(): void {
    collector = spawn(process.execPath, [built('main.js')], {
      env: { ...inheritedEnvironment(), HAVEN_REDIS_URL: testRedisUrl(database), HAVEN_LOG_DIR: folder.path, HAVEN_LOG_FILE_BYTES: '100000', HAVEN_LOG_FILES: '1000', HAVEN_PRIVATE_LISTEN: '127.0.0.1:0' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const process = collector;
    collector = undefined;
    if (process === undefined || process.exitCode !== null) return process?.exitCode ?? null;
    const closed = once(process, 'close');
    process.kill(signal);
    await closed;
    return process.exitCode;
  }

  const stored = (): string[] => existsSync(join(folder.path, 'registry')) ? storedLines(join(folder.path, 'registry')) : [];

  async function until(what: string, condition: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 20_000; !condition();) {
      if (Date.now() > deadline) throw new Error(`${what} did not happen; ${stored().length} lines are stored`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('stores what is sent, and nothing is lost or doubled by SIGTERM', async () => {
    const lines = Array.from({ length: 3000 }, (_, second) => logLine(second));
    start();
    for (const line of lines.slice(0, 2000)) messages.logShipper.sink(line);
    await until('the first lines being stored', () => stored().length > 0);
    expect(await end('SIGTERM')).toBe(0);
    for (const line of lines.slice(2000)) messages.logShipper.sink(line);
    start();
    await until('all lines being stored', () => stored().length >= lines.length);
    expect(await end('SIGTERM')).toBe(0);
    expect(stored()).toEqual(lines);
  });

  test('N-09: loses nothing when it is killed again and again', async () => {
    const lines = Array.from({ length: 6000 }, (_, second) => logLine(second));
    let sent = 0;
    for (let round = 0; round < 5; round++) {
      start();
      const before = stored().length;
      for (const line of lines.slice(sent, sent + 1200)) messages.logShipper.sink(line);
      sent += 1200;
      await until('some lines being stored', () => stored().length > before);
      await end('SIGKILL');
    }
    start();
    await until('all lines being stored', () => new Set(stored()).size >= lines.length);
    await end('SIGTERM');
    expect(new Set(stored())).toEqual(new Set(lines));
  }, 90_000);

  test('the command prints what was stored, and keeps quiet when its reader has enough', async () => {
    start();
    for (let second = 0; second < 5; second++) messages.logShipper.sink(logLine(second));
    await until('all lines being stored', () => stored().length === 5);
    await end('SIGTERM');
    const run = async (...args: string[]): Promise<{ code: number | null; output: string }> => {
      const command = spawn(process.execPath, [built('read.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      command.stdout.on('data', (data: Buffer) => { output += data.toString(); });
      command.stderr.on('data', (data: Buffer) => { output += data.toString(); });
      await once(command, 'close');
      return { code: command.exitCode, output };
    };
    expect(await run('--dir', folder.path, '--service', 'registry', '-n', '2')).toEqual({
      code: 0,
      output: '2026-01-01T00:00:03.000Z INFO  registry      line 3\n2026-01-01T00:00:04.000Z INFO  registry      line 4\n',
    });
    expect(await run('--dir', join(folder.path, 'absent'))).toMatchObject({ code: 1, output: expect.stringContaining('there are no logs in') });
    expect(await run('--level', 'loud')).toMatchObject({ code: 2, output: expect.stringContaining('--level must be one of') });
  });
});
