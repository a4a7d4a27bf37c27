import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';

// A process of its own is the only way to see signals and exit codes; it runs the built files (`npm run build`).
const built = new URL('../../dist/index.js', import.meta.url);
const SETTINGS = `{ HAVEN_LOG_LEVEL: 'info', HAVEN_PRIVATE_LISTEN: { host: '127.0.0.1', port: 0 }, HAVEN_REDIS_URL: 'redis://r', HAVEN_SHUTDOWN_SECONDS: 1 }`;

class Service {
  readonly lines: { message: string }[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(provider: string) {
    const script = `
      import { runService } from ${JSON.stringify(built.href)};
      class Part { ${provider} }
      await runService({ service: 'sample', settings: ${SETTINGS}, module: { module: class Root {}, providers: [Part] } });`;
    this.#process = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#process, 'close');
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line) as { message: string }));
  }

  async said(message: string): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!this.lines.some((line) => line.message.includes(message))) {
      if (Date.now() > deadline) throw new Error(`"${message}" was not logged, but ${JSON.stringify(this.lines)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async exitCode(): Promise<number | null> {
    await this.#closed;
    return this.#process.exitCode;
  }

  stopReading(): void { this.#process.stdout!.pause(); }
  readOn(): void { this.#process.stdout!.resume(); }
}

describe('runService', () => {
  let service: Service;
  beforeAll(() => {
    if (!existsSync(fileURLToPath(built))) throw new Error('build first: npm run build');
  });
  afterEach(() => { service.signal('SIGKILL'); });

  test.each(['SIGTERM', 'SIGINT'] as const)('closes and exits with 0 on %s, and no line is lost', async (signal) => {
    service = new Service(`onApplicationShutdown() { for (let i = 0; i < 5000; i++) process.stdout.write(JSON.stringify({ message: 'line ' + i, pad: 'x'.repeat(200) }) + '\\n'); }`);
    await service.said('started');
    service.signal(signal);
    expect(await service.exitCode()).toBe(0);
    expect(service.lines.filter((line) => line.message.startsWith('line '))).toHaveLength(5000);
    expect(service.lines.at(-1)?.message).toBe('stopped');
  });

  test('exits at once on a second signal', async () => {
    service = new Service(`onApplicationShutdown() { return new Promise(() => undefined); }`);
    await service.said('started');
    service.signal('SIGTERM');
    await service.said('SIGTERM received');
    service.signal('SIGINT');
    expect(await service.exitCode()).toBe(130);
  });

  test('exits with 1 when closing takes longer than HAVEN_SHUTDOWN_SECONDS', async () => {
    service = new Service(`onApplicationShutdown() { return new Promise(() => undefined); }`);
    await service.said('started');
    service.signal('SIGTERM');
    expect(await service.exitCode()).toBe(1);
    expect(service.lines.at(-1)?.message).toContain('did not stop within 1 s');
  });

  test('waits for the start when the signal comes during it', async () => {
    service = new Service(`async onModuleInit() { process.kill(process.pid, 'SIGTERM'); await new Promise((resolve) => setTimeout(resolve, 200)); }`);
    expect(await service.exitCode()).toBe(0);
    expect(service.lines.map((line) => line.message)).toEqual(expect.arrayContaining(['SIGTERM received', 'started', 'stopped']));
  });

  test.each([
    ['a rejected promise', `onApplicationBootstrap() { void Promise.reject(new Error('lost')); }`, 'a rejected promise was not handled'],
    ['a thrown error', `onApplicationBootstrap() { setTimeout(() => { throw new Error('lost'); }); }`, 'an error was not handled'],
    ['a failed start', `onModuleInit() { throw new Error('lost'); }`, 'sample cannot start: lost'],
  ])('logs %s and exits with 1', async (_name, provider, message) => {
    service = new Service(provider);
    expect(await service.exitCode()).toBe(1);
    expect(service.lines.at(-1)).toMatchObject({ level: 'error', message, error: { message: 'lost' } });
  });

  test('is not held up while nobody reads its standard output', async () => {
    service = new Service(`
      onApplicationBootstrap() {
        setTimeout(() => {
          const start = performance.now();
          for (let i = 0; i < 2000; i++) process.stdout.write(JSON.stringify({ message: 'line ' + i, pad: 'x'.repeat(1000) }) + '\\n');
          process.stdout.write(JSON.stringify({ message: 'written', milliseconds: performance.now() - start }) + '\\n');
        }, 50);
      }`);
    await service.said('started');
    service.stopReading();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    service.readOn();
    await service.said('written');
    expect(service.lines.filter((line) => line.message.startsWith('line '))).toHaveLength(2000);
    expect((service.lines.at(-1) as { milliseconds?: number }).milliseconds).toBeLessThan(500);
  });
});
