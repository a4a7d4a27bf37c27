import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type Database } from '@haven/database';
import { FakeLogger, readSettings, startService, type RunningService } from '@haven/runtime';
import { CoreModule } from '../core.module.js';
import { configureHttp, createHttpAdapter } from '../http/http.module.js';
import { hashPassword } from '../identity/password-hash.js';
import { coreSettings } from '../settings.js';
import { testRedisUrl } from './settings.js';

export const ADMIN_PASSWORD = 'Harbour-12345';
/** The password of everybody whom `addUser` makes. */
export const PASSWORD = 'Correct-horse-1';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON body; undefined when there is none, text when it is not JSON. */
  readonly body: unknown;
}

export interface Call {
  /** The account that asks; nobody when left out. */
  readonly as?: string | undefined;
  readonly password?: string;
  readonly json?: unknown;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Redirects are followed unless this says that they are the answer. */
  readonly redirect?: 'manual';
}

/** A core with a database, a storage folder and a port of its own. */
export interface TestCore {
  readonly url: string;
  readonly folder: string;
  readonly databaseUrl: string;
  /** What its secrets are sealed under, in hexadecimal. */
  readonly secretKey: string;
  readonly database: Database;
  readonly logger: FakeLogger;
  readonly service: RunningService;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Makes an account with the common password; resolves to its id. */
  addUser(name: string, options?: { readonly sysadmin?: boolean }): Promise<number>;
  /** Makes a project of admin's; resolves to its id. */
  addProject(name: string, options?: { readonly public?: boolean; readonly members?: Readonly<Record<string, number>> }): Promise<number>;
  stop(): Promise<void>;
}

export interface TestCoreOptions {
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startTestCore({ environment = {} }: TestCoreOptions = {}): Promise<TestCore> {
  const folder = await mkdtemp(join(tmpdir(), 'haven-core-'));
  const fixture = await createTestDatabase({ migrated: false });
  const logger = new FakeLogger();
  const secretKey = randomBytes(32).toString('hex');
  const service = await startCore({ HAVEN_DATABASE_URL: fixture.url, HAVEN_STORAGE: `file://${folder}`, HAVEN_SECRET_KEY: secretKey, ...environment }, logger);
  const url = `http://127.0.0.1:${service.address?.port ?? 0}`;
  const passwordHash = hashPassword(PASSWORD);
  const call = (method: string, path: string, options: Call = {}): Promise<Answer> => send(url, method, path, options);
  return {
    url, folder, databaseUrl: fixture.url, secretKey, database: fixture.database, logger, service, call,
    addUser: async (name, { sysadmin = false } = {}) => insertUser(fixture.database, name, sysadmin, await passwordHash),
    addProject: (name, options = {}) => insertProject(fixture.database, name, options),
    stop: async () => {
      await service.stop();
      await fixture.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Another core on the same database, storage, key and Redis: everything but the address is that of the first one. */
export async function startReplica(core: TestCore, environment: Readonly<Record<string, string>> = {}): Promise<TestCore> {
  const service = await startCore({ HAVEN_DATABASE_URL: core.databaseUrl, HAVEN_STORAGE: `file://${core.folder}`, HAVEN_SECRET_KEY: core.secretKey, ...environment });
  const url = `http://127.0.0.1:${service.address?.port ?? 0}`;
  return { ...core, url, service, call: (method, path, options = {}) => send(url, method, path, options), stop: () => service.stop() };
}

/** Starts the service alone, on a database that is there already. */
export async function startCore(environment: Readonly<Record<string, string>>, logger = new FakeLogger()): Promise<RunningService> {
  const settings = readSettings(coreSettings, {
    HAVEN_LISTEN: '127.0.0.1:0',
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:0',
    HAVEN_REDIS_URL: testRedisUrl(),
    HAVEN_ADMIN_PASSWORD: ADMIN_PASSWORD,
    ...environment,
  });
  return startService({
    service: 'core',
    settings,
    module: CoreModule.forRoot(settings),
    listen: { ...settings.HAVEN_LISTEN, adapter: createHttpAdapter(settings.HAVEN_TRUSTED_PROXIES) },
    configure: configureHttp,
    parts: { logger },
  });
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

async function send(url: string, method: string, path: string, { as, password, json, body, headers = {}, redirect = 'follow' }: { readonly redirect?: 'manual' | 'follow' } & Omit<Call, 'redirect'>): Promise<Answer> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(`${url}${path}`, {
    method,
    redirect,
    headers: {
      ...(as === undefined ? {} : { authorization: basic(as, password ?? (as === 'admin' ? ADMIN_PASSWORD : PASSWORD)) }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function insertUser(database: Database, name: string, sysadmin: boolean, passwordHash: string): Promise<number> {
  const [row] = await database.query<{ id: number }>(
    'INSERT INTO haven_user (external_id, username, sysadmin, password_hash) VALUES ($1, $1, $2, $3) RETURNING id',
    [name, sysadmin, passwordHash],
  );
  return row?.id ?? 0;
}

async function insertProject(
  database: Database, name: string, options: { readonly public?: boolean; readonly members?: Readonly<Record<string, number>> },
): Promise<number> {
  const [row] = await database.query<{ id: number }>('INSERT INTO project (name, public, owner_id) VALUES ($1, $2, 1) RETURNING id', [name, options.public ?? false]);
  const id = row?.id ?? 0;
  for (const [member, role] of Object.entries(options.members ?? {})) {
    await database.execute('INSERT INTO member (project_id, user_id, role) SELECT $1, id, $3 FROM haven_user WHERE username = $2', [id, member, role]);
  }
  return id;
}
