import { afterEach, expect, test } from '@jest/globals';
import { FakeLogger, readSettings, startService, type RunningService } from '@haven/runtime';
import { ProxyModule } from './proxy.module.js';
import { ProxyService } from './proxy.service.js';
import { proxySettings } from './settings.js';
import { echo, startUpstream } from './testing/fake-upstream.js';
import { testRedisUrl } from './testing/settings.js';

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function start(environment: Record<string, string>): Promise<{ service: RunningService; ready: () => Promise<{ status: number; body: { status: string; checks: Record<string, { status: string }> } }> }> {
  const settings = readSettings(proxySettings, { HAVEN_LISTEN_HOST: '127.0.0.1', HAVEN_HTTP_PORT: '0', HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_SHUTDOWN_SECONDS: '2', HAVEN_REDIS_URL: testRedisUrl(), ...environment });
  const service = await startService({ service: 'proxy', settings, module: ProxyModule.with(settings), parts: { logger: new FakeLogger() } });
  open.push(() => service.stop());
  const ready = async (): ReturnType<Awaited<ReturnType<typeof start>>['ready']> => {
    const response = await fetch(`http://127.0.0.1:${service.privateAddress.port}/readyz`);
    return { status: response.status, body: await response.json() as { status: string; checks: Record<string, { status: string }> } };
  };
  return { service, ready };
}

test('the service is ready when both upstreams work, degraded with one, and not ready without any', async () => {
  const upstream = await startUpstream(echo);
  open.push(() => upstream.kill());
  const nobody = 'http://127.0.0.1:1';
  const both = await start({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_CORE_URLS: upstream.url });
  expect(await both.ready()).toMatchObject({ status: 200, body: { status: 'ok' } });
  const half = await start({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_CORE_URLS: nobody });
  expect(await half.ready()).toMatchObject({ status: 200, body: { status: 'degraded', checks: { core: { status: 'failed' }, registry: { status: 'ok' } } } });
  const none = await start({ HAVEN_REGISTRY_URLS: nobody, HAVEN_CORE_URLS: nobody });
  expect(await none.ready()).toMatchObject({ status: 503, body: { status: 'unavailable' } });
});

test('it serves clients, shows its metrics privately, and closes its port when it stops', async () => {
  const upstream = await startUpstream(echo);
  open.push(() => upstream.kill());
  const { service } = await start({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_CORE_URLS: upstream.url });
  const port = service.app.get(ProxyService).server?.httpAddress?.port ?? 0;
  expect((await fetch(`http://127.0.0.1:${port}/v2/`)).status).toBe(200);
  const metrics = await (await fetch(`http://127.0.0.1:${service.privateAddress.port}/metrics`)).text();
  expect(metrics).toMatch(/haven_http_request_duration_seconds_count\{[^}]*route="v2"/);
  await service.stop();
  await expect(fetch(`http://127.0.0.1:${port}/v2/`)).rejects.toThrow('fetch failed');
});

test('a port that is taken is named', async () => {
  const upstream = await startUpstream(echo);
  open.push(() => upstream.kill());
  await expect(start({ HAVEN_HTTP_PORT: String(upstream.port) })).rejects.toThrow(/HAVEN_HTTP_PORT/);
});
