import { afterEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startPlatform } from './platform.mjs';
import { identify } from './process-identity.mjs';

const fake = join(import.meta.dirname, 'testing/fake-service.mjs');
const leftovers = [];

afterEach(async () => {
  for (const end of leftovers.splice(0).reverse()) await end();
});

function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'haven-platform-test-'));
  leftovers.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data');
}

async function start(options = {}) {
  const lines = [];
  const events = [];
  const platform = await startPlatform({
    dataDir: newFolder(), httpPort: 0, entry: () => fake, readySeconds: 20,
    onLine: (service, line) => lines.push(`${service}: ${line}`), onEvent: (message) => events.push(message), ...options,
  });
  leftovers.push(() => platform.stop());
  return { platform, lines, events };
}

async function settingsOf(url) {
  return (await (await fetch(url)).json()).settings;
}

async function eventually(check, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await check()) return;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${check}`);
    await delay(50);
  }
}

function modeOf(path) {
  return (statSync(path).mode & 0o777).toString(8);
}

test('starts everything, describes it for tools, and stops it in order', async () => {
  const { platform, lines } = await start();
  const { dataDir } = platform;
  const proxy = await settingsOf(platform.url);
  expect(proxy.HAVEN_REGISTRY_URLS).toBe(platform.services.registry.url);
  expect(proxy.HAVEN_CORE_URLS).toBe(platform.services.core.url);
  expect(proxy.HAVEN_DATABASE_URL).toBeUndefined();
  expect(proxy.HAVEN_STORAGE).toBe(`file://${dataDir}/storage`);
  const core = await settingsOf(platform.services.core.url);
  expect(core.HAVEN_DATABASE_URL).toBe(platform.databaseUrl);
  expect(core.HAVEN_REDIS_URL).toBe(platform.redisUrl);
  expect(readFileSync(core.HAVEN_SECRET_KEY_FILE, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(platform.adminPassword).toBe('the-first-password');
  expect(existsSync(core.HAVEN_ADMIN_PASSWORD_OUT)).toBe(false);

  const description = JSON.parse(readFileSync(join(dataDir, 'run/platform.json'), 'utf8'));
  expect(description).toMatchObject({ url: platform.url, databaseUrl: platform.databaseUrl, services: { registry: { pid: platform.services.registry.pid } } });
  for (const path of ['run/platform.json', 'keys/secret.key', 'keys/database-password', 'run/launcher.log']) expect(modeOf(join(dataDir, path))).toBe('600');
  for (const path of ['keys', 'run', 'storage', 'logs', 'postgres', 'redis']) expect(modeOf(join(dataDir, path))).toBe('700');

  await platform.stop();
  expect(lines.filter((line) => line.endsWith(' stops')).map((line) => line.split(':')[0])).toEqual(['proxy', 'registry', 'core', 'job-service', 'log-collector']);
  expect(existsSync(join(dataDir, 'run/lock'))).toBe(false);
  expect(existsSync(join(dataDir, 'run/platform.json'))).toBe(false);
});

test('services reach the database as a role without special rights', async () => {
  const { platform } = await start();
  const client = new pg.Client({ connectionString: platform.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT rolsuper, rolcreaterole, rolcreatedb, pg_get_userbyid(datdba) = current_user AS owner
      FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`);
    expect(rows).toEqual([{ rolsuper: false, rolcreaterole: false, rolcreatedb: false, owner: true }]);
    for (const [name, value] of [['fsync', 'on'], ['synchronous_commit', 'on'], ['password_encryption', 'scram-sha-256'], ['listen_addresses', '127.0.0.1'], ['data_checksums', 'on']]) {
      const shown = await client.query(`SHOW ${name}`);
      expect([name, shown.rows[0][name]]).toEqual([name, value]);
    }
  } finally {
    await client.end();
  }
});

test('a process that ends unasked is started again on the same port; so are Postgres and Redis after kill -9', async () => {
  const { platform, events } = await start();
  const { url, pid } = platform.services.registry;
  const before = { registry: pid, postgres: platform.postgres.pid, redis: platform.redis.pid };
  await withDatabase(platform, (client) => client.query('CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)'));
  platform.services.registry.kill('SIGKILL');
  platform.postgres.kill('SIGKILL');
  platform.redis.kill('SIGKILL');
  await eventually(() => ['registry', 'postgres', 'redis'].every((name) => events.some((event) => event.startsWith(`${name} runs again`))));
  expect(platform.services.registry.pid).not.toBe(before.registry);
  expect(platform.postgres.pid).not.toBe(before.postgres);
  expect(platform.redis.pid).not.toBe(before.redis);
  expect((await settingsOf(url)).HAVEN_DATABASE_URL).toBe(platform.databaseUrl);
  expect((await withDatabase(platform, (client) => client.query('SELECT n FROM kept'))).rows).toEqual([{ n: 7 }]);
  expect(events).toContain('registry was ended by SIGKILL; starting it again in 0.2 s');
});

async function withDatabase(platform, work) {
  const client = new pg.Client({ connectionString: platform.databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('a service that is stopped stays stopped until it is started', async () => {
  const { platform, events } = await start();
  const { core } = platform.services;
  const { url } = core;
  await core.stop();
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  await delay(500);
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  await core.start();
  expect((await fetch(url)).status).toBe(200);
  expect(core.url).toBe(url);
  expect(events).toEqual([]);
});

test('a second start on the same data is refused while the first one runs, and keeps the data afterwards', async () => {
  const { platform } = await start();
  const { dataDir } = platform;
  await expect(startPlatform({ dataDir, httpPort: 0, entry: () => fake })).rejects.toThrow(`Haven is already running on ${dataDir} (process ${process.pid})`);
  expect((await fetch(platform.url)).status).toBe(200);
  const key = readFileSync(join(dataDir, 'keys/secret.key'), 'utf8');
  await withDatabase(platform, (client) => client.query('CREATE TABLE kept (n int)'));
  await platform.stop();
  const { platform: second } = await start({ dataDir });
  expect(readFileSync(join(dataDir, 'keys/secret.key'), 'utf8')).toBe(key);
  await withDatabase(second, (client) => client.query('SELECT * FROM kept'));
});

test('two replicas are balanced by the proxy', async () => {
  const { platform } = await start({ replicas: { registry: 2 } });
  const { services } = platform;
  expect((await settingsOf(platform.url)).HAVEN_REGISTRY_URLS).toBe(`${services.registry.url},${services['registry-2'].url}`);
});

test('a service that ends or stays unready is named with its last lines, and nothing is left running', async () => {
  const dataDir = newFolder();
  const failing = (HAVEN_FAKE) => startPlatform({ dataDir, httpPort: 0, entry: () => fake, readySeconds: 2, env: { HAVEN_FAKE } });
  await expect(failing('registry:crash')).rejects.toThrow(/^registry ended with exit code 3\. Its last lines:\nregistry cannot go on: the fake is told to fail/);
  await expect(failing('core:unready')).rejects.toThrow(/^core was not ready within 2 s \(\/readyz answers 503 \{"fake":"status"\}\)/);
  expect(existsSync(join(dataDir, 'run/lock'))).toBe(false);
  expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false);
});

test('a service that does not stop when asked is ended by force', async () => {
  const { platform } = await start({ env: { HAVEN_FAKE: 'registry:deaf', HAVEN_SHUTDOWN_SECONDS: '-4' } });
  const { pid } = platform.services.registry;
  await platform.stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a taken public port is named together with its setting', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  leftovers.push(() => holder.close());
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address();
  await expect(startPlatform({ dataDir: newFolder(), httpPort: port, entry: () => fake, env: { HAVEN_LISTEN_HOST: '127.0.0.1' } }))
    .rejects.toThrow(`Port ${port} is already in use on 127.0.0.1. Stop the program that holds it, or choose another: HAVEN_HTTP_PORT=<port>.`);
});

test('stopping while it starts ends all that was started', async () => {
  const { Platform } = await import('./platform.mjs');
  const platform = new Platform({ dataDir: newFolder(), httpPort: 0, entry: () => fake, env: { HAVEN_FAKE: 'core:unready' } });
  const started = platform.start();
  await eventually(() => platform.services.core?.pid !== undefined);
  const { pid } = platform.services.core;
  await Promise.all([platform.stop(), expect(started).rejects.toThrow(/^\w[\w-]* was stopped while it was starting/)]);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a launcher that was killed leaves nothing that hinders the next start', async () => {
  const dataDir = newFolder();
  const launcher = spawn(process.execPath, [join(import.meta.dirname, 'testing/launch.mjs'), dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await once(launcher.stdout, 'data');
  const { url, services } = JSON.parse(output);
  launcher.kill('SIGKILL');
  await once(launcher, 'exit');
  expect((await fetch(url)).status).toBe(200); // the orphans still run

  const { events } = await start({ dataDir });
  expect(events).toEqual(['stopped what an earlier start had left running: proxy, registry, core, job-service, log-collector, redis, postgres']);
  expect(services.map((pid) => identify(pid).started)).toEqual(services.map(() => '')); // ended, even when nobody has reaped them
});

test('a service is started again even when the folder for notes cannot be written', async () => {
  const { platform, events } = await start();
  const run = join(platform.dataDir, 'run');
  renameSync(run, `${run}.away`);
  platform.services.registry.kill('SIGKILL');
  await eventually(() => events.some((event) => event.startsWith('registry runs again')));
  expect(events.filter((event) => event.includes('cannot be written')).length).toBeGreaterThan(0);
  expect((await fetch(platform.services.registry.url)).status).toBe(200);
  renameSync(`${run}.away`, run);
});
