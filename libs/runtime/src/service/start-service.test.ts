import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { describe, expect, test } from '@jest/globals';
import { FakeLogger } from '../log/fake-logger.js';
import { Health } from '../health/health.js';
import { Logger } from '../log/logger.js';
import { Metrics } from '../metrics/metrics.js';
import { startService, type RunningService } from './start-service.js';

const settings = { HAVEN_LOG_LEVEL: 'info', HAVEN_PRIVATE_LISTEN: { host: '127.0.0.1', port: 0 }, HAVEN_REDIS_URL: 'redis://u:hunter2@r', HAVEN_SHUTDOWN_SECONDS: 5, HAVEN_ADMIN_PASSWORD: 'hunter2' } as const;

@Injectable()
class Noun implements OnApplicationShutdown {
  readyWhileClosing: boolean | undefined;

  constructor(readonly logger: Logger, readonly health: Health) {}

  async onApplicationShutdown(): Promise<void> {
    this.readyWhileClosing = await this.health.ready();
  }
}

@Module({ providers: [Noun] })
class NounModule {}

function start(parts: { logger: FakeLogger; health?: Health } = { logger: new FakeLogger() }): Promise<RunningService> {
  return startService({ service: 'noun', settings, module: NounModule, parts: { metrics: new Metrics(), ...parts } });
}

async function get(running: RunningService, path: string, init?: RequestInit): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${running.privateAddress.port}${path}`, init);
  return { status: response.status, body: await response.text() };
}

describe('startService', () => {
  test('provides logger and health, serves probes, and closes in order', async () => {
    const logger = new FakeLogger();
    const running = await start({ logger });
    const noun = running.app.get(Noun);
    expect(noun.logger).toBe(logger);
    running.health.add('redis', () => Promise.reject(new Error('down')), { critical: false });
    running.metrics.counter({ name: 'haven_x_total', help: 'x' }).inc();

    expect(await get(running, '/livez')).toEqual({ status: 200, body: '{"status":"ok"}' });
    expect(await get(running, '/readyz?verbose')).toMatchObject({ status: 200, body: expect.stringContaining('"degraded"') });
    expect((await get(running, '/metrics')).body).toContain('haven_x_total 1');
    expect((await get(running, '/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await get(running, '/other')).status).toBe(404);

    await Promise.all([running.stop(), running.stop()]);
    expect(noun.readyWhileClosing).toBe(false);
    expect(logger.messages()).toEqual(expect.arrayContaining(['starting', 'started', 'stopping', 'stopped']));
    await expect(get(running, '/livez')).rejects.toThrow('fetch failed');
  });

  test('is not ready, but alive, while a critical check fails', async () => {
    const running = await start();
    running.health.add('database', () => Promise.reject(new Error('down')));
    expect((await get(running, '/readyz')).status).toBe(503);
    expect((await get(running, '/livez')).status).toBe(200);
    await running.stop();
  });

  test('logs its settings without secrets', async () => {
    const logger = new FakeLogger();
    await (await start({ logger })).stop();
    expect(JSON.stringify(logger.lines)).toContain('HAVEN_SHUTDOWN_SECONDS');
    expect(JSON.stringify(logger.lines)).not.toContain('hunter2');
  });

  test('closes its private port again when the module does not start', async () => {
    @Module({ providers: [{ provide: 'broken', useFactory: () => { throw new Error('no key'); } }] })
    class Broken {}
    const parts = { logger: new FakeLogger(), metrics: new Metrics() };
    const first = startService({ service: 'noun', settings, module: Broken, parts });
    await expect(first).rejects.toThrow('no key');
  });

  test('refuses a private port that is taken, naming the setting', async () => {
    const running = await start();
    const taken = { ...settings, HAVEN_PRIVATE_LISTEN: { host: '127.0.0.1', port: running.privateAddress.port } };
    await expect(startService({ service: 'noun', settings: taken, module: NounModule, parts: { logger: new FakeLogger(), metrics: new Metrics() } })).rejects.toThrow('HAVEN_PRIVATE_LISTEN');
    await running.stop();
  });
});
