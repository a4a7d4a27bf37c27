import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { openSecret } from '@haven/access';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeLogger, type RunningService } from '@haven/runtime';
import { ADMIN_PASSWORD, basic, startCore } from '../testing/test-core.js';

const KEY = 'ab'.repeat(32);
let folder: string;
let fixture: TestDatabase;
const running: RunningService[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'haven-first-start-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  fixture = await createTestDatabase({ migrated: false });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
  await fixture.drop();
});

async function start(environment: Readonly<Record<string, string>> = {}, logger = new FakeLogger()): Promise<RunningService> {
  const service = await startCore({ HAVEN_DATABASE_URL: fixture.url, HAVEN_STORAGE: `file://${folder}`, HAVEN_SECRET_KEY: KEY, ...environment }, logger);
  running.push(service);
  return service;
}

function currentUser(service: RunningService, password: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${service.address?.port ?? 0}/api/v2.0/users/current`, { headers: { authorization: basic('admin', password) } });
}

describe('a first start', () => {
  test('makes user 1, admin, and project 1, library, which is public', async () => {
    const service = await start();
    expect(await (await currentUser(service, ADMIN_PASSWORD)).json()).toMatchObject({ user_id: 1, username: 'admin', sysadmin_flag: true });
    const library = await fetch(`http://127.0.0.1:${service.address?.port ?? 0}/api/v2.0/projects/library`);
    expect(await library.json()).toMatchObject({ project_id: 1, name: 'library', owner_name: 'admin', metadata: { public: 'true' } });
  });

  test('A-01: writes a random password to a file that only its owner reads, and never logs it', async () => {
    const out = join(folder, 'admin-password');
    const logger = new FakeLogger();
    const service = await start({ HAVEN_ADMIN_PASSWORD: '', HAVEN_ADMIN_PASSWORD_OUT: out }, logger);
    const password = (await readFile(out, 'utf8')).trim();
    expect(password.length).toBeGreaterThanOrEqual(24);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect((await currentUser(service, password)).status).toBe(200);
    expect(JSON.stringify(logger.lines)).not.toContain(password);
  });

  test('K-08: keeps neither a password nor a private key in plain text', async () => {
    await start();
    const [user] = await fixture.database.query<{ password_hash: string }>('SELECT password_hash FROM haven_user WHERE id = 1');
    expect(user?.password_hash).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    const [key] = await fixture.database.query<{ kid: string; public_jwk: Record<string, string>; sealed_private_jwk: string }>('SELECT * FROM signing_key');
    expect(key?.public_jwk).not.toHaveProperty('d');
    const opened: unknown = JSON.parse(openSecret(Buffer.from(KEY, 'hex'), key?.sealed_private_jwk ?? '', `signing-key:${key?.kid ?? ''}`));
    expect(opened).toMatchObject({ kty: 'EC', x: key?.public_jwk['x'], d: expect.any(String) });
  });

  test('of several replicas at once makes one administrator and one key', async () => {
    const replicas = await Promise.all([start(), start(), start()]);
    const [count] = await fixture.database.query<{ users: number; projects: number; keys: number }>(
      `SELECT (SELECT count(*)::int FROM haven_user) AS users, (SELECT count(*)::int FROM project) AS projects, (SELECT count(*)::int FROM signing_key) AS keys`,
    );
    expect(count).toEqual({ users: 1, projects: 1, keys: 1 });
    for (const replica of replicas) expect((await currentUser(replica, ADMIN_PASSWORD)).status).toBe(200);
  });

  test.each([
    ['no way to tell the password', { HAVEN_ADMIN_PASSWORD: '' }, 'HAVEN_ADMIN_PASSWORD'],
    ['a weak password', { HAVEN_ADMIN_PASSWORD: 'weak-and-short' }, 'HAVEN_ADMIN_PASSWORD is too weak'],
    ['a file that cannot be written', { HAVEN_ADMIN_PASSWORD: '', HAVEN_ADMIN_PASSWORD_OUT: '/proc/no/such/file' }, '/proc/no/such/file'],
  ])('with %s fails, says so, and leaves no account behind', async (_name, environment, message) => {
    await expect(start(environment)).rejects.toThrow(message);
    expect(await fixture.database.query('SELECT 1 FROM haven_user')).toEqual([]);
  });
});

describe('a later start', () => {
  test('changes no account and ignores HAVEN_ADMIN_PASSWORD', async () => {
    await (await start()).stop();
    const service = await start({ HAVEN_ADMIN_PASSWORD: 'Something-else-9' });
    expect((await currentUser(service, ADMIN_PASSWORD)).status).toBe(200);
    expect((await currentUser(service, 'Something-else-9')).status).toBe(401);
  });

  test('signs with the same key', async () => {
    await (await start()).stop();
    await start();
    expect(await fixture.database.query('SELECT kid FROM signing_key')).toHaveLength(1);
  });

  test('with another key file fails and says which file is needed', async () => {
    await (await start()).stop();
    await expect(start({ HAVEN_SECRET_KEY: 'cd'.repeat(32) })).rejects.toThrow('HAVEN_SECRET_KEY_FILE');
  });
});
