import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { OciError } from '@haven/oci';
import { BodyBudget, readBody } from './request-body.js';

let server: Server;
afterEach(() => { server.closeAllConnections(); server.close(); });

/** Reads one body; resolves to what came of it. */
async function read(budget: BodyBudget, pieces: readonly { readonly bytes: number; readonly afterMs: number }[]): Promise<number | string> {
  const outcome = new Promise<number | string>((resolve) => {
    server = createServer((incoming) => {
      readBody(incoming, { most: 1_000_000, what: 'A manifest', from: { budget, client: 'user:1' } }).then(
        (bytes) => { resolve(bytes.length); },
        (error: unknown) => { resolve(error instanceof OciError ? `${error.status} ${error.message}` : String(error)); });
    }).listen(0, '127.0.0.1');
  });
  await new Promise((resolve) => { server.once('listening', resolve); });
  const sending = request({ port: (server.address() as AddressInfo).port, method: 'PUT', headers: { 'transfer-encoding': 'chunked' } });
  sending.on('error', () => undefined);
  for (const { bytes, afterMs } of pieces) {
    await sleep(afterMs);
    sending.write(Buffer.alloc(bytes));
  }
  sending.end();
  return outcome;
}

const roomy = (mostHeldMs: number): BodyBudget => new BodyBudget({ bytes: 1_000_000, share: 1_000_000, mostHeldMs });

describe('a large body that comes in small pieces', () => {
  test('is refused once it has kept its place for too long', async () => {
    const budget = roomy(50);
    expect(await read(budget, [{ bytes: 100_000, afterMs: 0 }, { bytes: 1, afterMs: 100 }])).toBe('408 A manifest this large must be sent within 0.05 seconds.');
    expect(budget.take('user:2', 1_000_000)).toBe(true);
  });

  test('is taken in time', async () => {
    expect(await read(roomy(60_000), [{ bytes: 100_000, afterMs: 0 }, { bytes: 1, afterMs: 10 }])).toBe(100_001);
  });
});

test('a small body may take its time: it keeps nobody from anything', async () => {
  expect(await read(roomy(0), [{ bytes: 1000, afterMs: 0 }, { bytes: 1000, afterMs: 50 }])).toBe(2000);
});

test('a budget has a share for each client', () => {
  const budget = new BodyBudget({ bytes: 100, share: 40, mostHeldMs: 1000 });
  expect([budget.take('a', 40), budget.take('a', 1), budget.take('b', 40), budget.take('c', 21), budget.take('c', 20)]).toEqual([true, false, true, false, true]);
  budget.give('a', 40);
  expect([budget.take('a', 40), budget.take('a', 1)]).toEqual([true, false]);
});
