import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sealSecret } from '@haven/access';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { OutboundClient, OutboundError, registrySecretContext, type OutboundRequest, type OutboundResponse } from '@haven/outbound';
import { FakeLogger } from '@haven/runtime';
import { RegistryHealth } from './registry-health.js';

const KEY = randomBytes(32);
const AT_ONCE = 8;

/** Registries by host: what they answer, at once or when they are let. */
class Registries extends OutboundClient {
  readonly asked: string[] = [];
  readonly authorized: (string | undefined)[] = [];
  readonly down = new Set<string>();
  readonly slow = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  open = 0;
  most = 0;

  override async send({ url, headers = {}, signal }: OutboundRequest): Promise<OutboundResponse> {
    const { hostname } = new URL(url);
    this.asked.push(hostname);
    this.authorized.push(headers['Authorization']);
    this.open += 1;
    this.most = Math.max(this.most, this.open);
    if (this.slow.has(hostname)) await this.#turn(signal);
    this.open -= 1;
    if (this.down.has(hostname) || signal?.aborted === true) throw new OutboundError('unreachable');
    const known = headers['Authorization'] !== undefined || !hostname.startsWith('private');
    return { status: known ? 200 : 401, headers: known ? {} : { 'www-authenticate': 'Basic realm="r"' }, body: Buffer.alloc(0), complete: true };
  }

  override close(): void {
    // Nothing is kept.
  }

  letGo(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      signal?.addEventListener('abort', () => { resolve(); });
    });
  }
}

let fixture: TestDatabase;
let registries: Registries;
let logger: FakeLogger;
let running: RegistryHealth[];
beforeEach(async () => {
  fixture = await createTestDatabase();
  registries = new Registries();
  logger = new FakeLogger();
  running = [];
});
afterEach(async () => {
  registries.letGo();
  await Promise.all(running.map((one) => one.stop()));
  await fixture.drop();
});

function health(options: { readonly secretKey?: Buffer | undefined } = { secretKey: KEY }): RegistryHealth {
  const one = new RegistryHealth({ database: fixture.database, outbound: registries, secretKey: options.secretKey, logger });
  running.push(one);
  return one;
}

async function add(host: string, secret = '', status = 'healthy'): Promise<number> {
  const [row] = await fixture.database.query<{ id: number }>(
    `INSERT INTO registry (name, type, url, access_key, status) VALUES ($1, 'harbor', $2, $3, $4) RETURNING id`, [host, `https://${host}`, secret === '' ? '' : 'key', status]);
  const id = row?.id ?? 0;
  if (secret !== '') await fixture.database.execute('UPDATE registry SET access_secret = $2 WHERE id = $1', [id, sealSecret(KEY, secret, registrySecretContext(id))]);
  return id;
}

async function statuses(): Promise<Record<string, string>> {
  return Object.fromEntries((await fixture.database.query<{ name: string; status: string }>('SELECT name, status FROM registry ORDER BY name')).map(({ name, status }) => [name, status]));
}

async function timePasses(minutes: number): Promise<void> {
  await fixture.database.execute(`UPDATE registry SET checked_at = checked_at - $1 * interval '1 minute'`, [minutes]);
}

async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !condition(); await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen`);
  }
}

test('every registry is asked once in five minutes, by whichever process comes first, and its status follows', async () => {
  await add('up.example', '', 'unhealthy');
  await add('down.example');
  await add('private.example', 'secret');
  registries.down.add('down.example');
  expect((await Promise.all([health().look(), health().look()])).reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(await statuses()).toEqual({ 'up.example': 'healthy', 'down.example': 'unhealthy', 'private.example': 'healthy' });
  expect(registries.authorized).toContain(`Basic ${Buffer.from('key:secret').toString('base64')}`);
  expect(logger.lines.map(({ level, fields }) => [level, fields['name']]).sort()).toEqual([['info', 'up.example'], ['warn', 'down.example']]);

  await timePasses(4);
  expect(await health().look()).toBe(0);
  registries.down.clear();
  await timePasses(2);
  expect(await health().look()).toBe(3);
  expect((await statuses())['down.example']).toBe('healthy');
});

test('registries that do not answer hold up neither the others nor anybody who changes them, and few are asked at once', async () => {
  for (let number = 0; number < 12; number += 1) {
    await add(`slow-${String(number).padStart(2, '0')}.example`);
    registries.slow.add(`slow-${String(number).padStart(2, '0')}.example`);
  }
  const looking = health().look();
  await eventually('as many being asked as may be', () => registries.open === AT_ONCE);
  // Nothing is locked while they are asked.
  await fixture.database.execute(`UPDATE registry SET url = 'https://moved.example', status = 'healthy', updated_at = clock_timestamp() WHERE name = 'slow-00.example'`);
  await fixture.database.execute(`DELETE FROM registry WHERE name = 'slow-01.example'`);
  registries.down.add('slow-00.example');
  const asking = setInterval(() => { registries.letGo(); }, 20);
  expect(await looking).toBe(12);
  clearInterval(asking);
  expect(registries.most).toBe(AT_ONCE);
  // What was found out about the old address says nothing about the new one.
  expect((await statuses())['slow-00.example']).toBe('healthy');
});

test('a secret that cannot be opened makes a registry unhealthy; without the key those with secrets are left alone', async () => {
  const id = await add('private.example', 'secret');
  await add('up.example', '', 'unhealthy');
  expect(await health({ secretKey: undefined }).look()).toBe(1);
  expect(registries.asked).toEqual(['up.example']);
  await fixture.database.execute('UPDATE registry SET access_secret = $2 WHERE id = $1', [id, sealSecret(KEY, 'secret', registrySecretContext(id + 1))]);
  expect(await health().look()).toBe(1);
  expect(registries.asked).toEqual(['up.example']);
  expect((await statuses())['private.example']).toBe('unhealthy');
  expect(JSON.stringify(logger.lines)).not.toContain('secret"');
});

test('a process that ends gives up what it asks, and says nothing about it', async () => {
  await add('slow.example');
  registries.slow.add('slow.example');
  const one = health();
  one.start();
  await eventually('it being asked', () => registries.open === 1);
  const begun = performance.now();
  await one.stop();
  expect(performance.now() - begun).toBeLessThan(8000);
  expect(await statuses()).toEqual({ 'slow.example': 'healthy' });
});
