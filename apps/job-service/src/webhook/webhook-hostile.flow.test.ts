import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually, push, WebhookWorld } from './testing/webhook-world.js';

const GIBIBYTE = 1024 ** 3;
const MEBIBYTE = 1024 ** 2;

let world: WebhookWorld;

beforeEach(async () => { world = await WebhookWorld.open(); });
afterEach(() => world.close());

/** Answers with so many bytes; `sent` counts those that the other side made room for. */
function flood(bytes: number, headers: Record<string, string>, status: number, sent: { bytes: number }): RequestListener {
  const chunk = Buffer.alloc(65_536);
  return (_request, response) => {
    response.writeHead(status, headers);
    Readable.from((function* produce() { for (let left = bytes; left > 0; left -= chunk.length) { sent.bytes += chunk.length; yield chunk; } })()).pipe(response);
  };
}

test('H-01, H-08: receivers that redirect inside, answer with a gibibyte, a bomb or without an end, or never answer, and private addresses harm nothing; others are served meanwhile', async () => {
  const { database } = world.fixture;
  const sent = { bytes: 0 };
  const inside = await world.receiver();
  const redirecting = await world.receiver((_request, response) => { response.writeHead(307, { Location: inside }).end(); });
  const large = await world.receiver(flood(GIBIBYTE, { 'Content-Length': String(GIBIBYTE) }, 200, sent));
  const refusing = await world.receiver(flood(GIBIBYTE, {}, 500, sent));
  const bomb = gzipSync(Buffer.alloc(64 * MEBIBYTE));
  const bombing = await world.receiver((_request, response) => { response.writeHead(500, { 'Content-Encoding': 'gzip' }).end(bomb); });
  const dripping = await world.receiver((_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => { response.write('.'); }, 100);
    response.once('close', () => { clearInterval(timer); });
  });
  const silent = await world.receiver(() => undefined);
  const good = await world.receiver();
  await world.policy([redirecting, refusing, bombing, dripping, silent, 'http://169.254.169.254/latest', inside.replace('127.0.0.1', '127.0.0.2'), inside.replace('127.0.0.1', '[::1]'), large, good].map((address) => ({ address })));
  const before = process.memoryUsage().rss;
  await world.start();
  const begun = Date.now();
  await world.tell([push(['1'])]);
  await eventually('the large and the good one being done', async () => (await world.count('delivered')) === 2);
  expect(Date.now() - begun).toBeLessThan(15_000);
  await eventually('the others having failed once', async () => (await database.query('SELECT 1 FROM task WHERE failures > 0')).length === 8, 30_000);
  expect(Date.now() - begun).toBeLessThan(30_000);
  expect((await database.query<{ target: number }>('SELECT target FROM webhook_outage ORDER BY target')).map(({ target }) => target)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(world.received.filter(({ headers }) => `http://${headers.host ?? ''}/hook` === inside)).toHaveLength(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * MEBIBYTE);
  expect(sent.bytes).toBeLessThan(32 * MEBIBYTE);
  const messages = await database.query<{ status_message: string }>('SELECT status_message FROM task WHERE failures > 0 ORDER BY id');
  expect(messages.map((row) => row.status_message)).toEqual([
    'the receiver answered with status 307', 'the receiver answered with status 500', 'the receiver answered with status 500', 'the host did not answer in time', 'the host did not answer in time',
    ...Array.from({ length: 3 }, () => expect.stringContaining('HAVEN_OUTBOUND_ALLOW')),
  ]);
}, 90_000);
