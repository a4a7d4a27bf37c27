import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { startUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { eventually, openRaw, sendRaw } from '../testing/raw-client.js';

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function start(): Promise<{ proxy: ProxyUnderTest; waiting: ServerResponse[] }> {
  const waiting: ServerResponse[] = [];
  const upstream = await startUpstream((_request, response) => { waiting.push(response); });
  const proxy = await startProxy({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_SHUTDOWN_SECONDS: '3' });
  open.push(() => upstream.kill(), () => proxy.stop());
  return { proxy, waiting };
}

test('stopping takes no more connections, closes idle ones and finishes what is under way', async () => {
  const { proxy, waiting } = await start();
  const idle = await openRaw(proxy.port);
  idle.resume();
  const answer = sendRaw(proxy.port, 'GET /v2/ HTTP/1.1\r\nHost: reg.test\r\n\r\n', 5000);
  await eventually(() => waiting.length === 1, 'the request is under way');
  const begun = performance.now();
  const stopped = proxy.stop();
  await expect(openRaw(proxy.port)).rejects.toThrow('ECONNREFUSED');
  waiting[0]?.end('done');
  expect(await answer).toMatchObject({ closed: true, text: expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*done/i) });
  await stopped;
  await eventually(() => idle.closed, 'the idle connection is closed');
  expect(performance.now() - begun).toBeLessThan(1500);
});

test('what takes longer than HAVEN_SHUTDOWN_SECONDS is cut off', async () => {
  const { proxy, waiting } = await start();
  const answer = sendRaw(proxy.port, 'GET /v2/ HTTP/1.1\r\nHost: reg.test\r\n\r\n', 9000);
  await eventually(() => waiting.length === 1, 'the request is under way');
  waiting[0]?.writeHead(200, { 'content-length': '100' }).write('part');
  await eventually(() => proxy.server.context.inFlight.size === 1, 'the answer has begun');
  const begun = performance.now();
  await proxy.stop();
  expect(performance.now() - begun).toBeLessThan(3000);
  expect(performance.now() - begun).toBeGreaterThan(1200);
  expect((await answer).closed).toBe(true);
  expect(proxy.logger.messages('warn')).toContain('requests that were still under way are cut off');
}, 15_000);
