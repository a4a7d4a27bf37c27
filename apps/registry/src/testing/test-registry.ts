import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { generateSigningKey, signRegistryToken, type AccessEntry, type SigningKey } from '@haven/access';
import { createTestDatabase, type Database } from '@haven/database';
import { FakeBroadcasts, FakeWire } from '@haven/messages';
import { FakeLogger, Metrics, parseAddressRanges } from '@haven/runtime';
import { openStorage, type BlobStorage } from '@haven/storage';
import { Registry } from '../registry.js';

/** A registry with a database and a storage folder of its own, and tokens for whoever a test needs. */
export interface TestRegistry {
  readonly url: string;
  readonly folder: string;
  readonly database: Database;
  readonly storage: BlobStorage;
  readonly broadcasts: FakeBroadcasts;
  readonly logger: FakeLogger;
  /** Starts another registry on the same database and storage that hears the same broadcasts. */
  replica(): Promise<Replica>;
  /** A token of user `user` with these actions on these repositories of project alpha (its id is 1). */
  token(actions: Grants, user?: string): Promise<string>;
  sign(access: readonly AccessEntry[], user?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface Replica {
  readonly url: string;
  stop(): Promise<void>;
}

export type Grants = Readonly<Record<string, readonly ('pull' | 'push' | 'delete')[]>>;

export async function startTestRegistry(): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'haven-registry-'));
  const fixture = await createTestDatabase();
  const key = await generateSigningKey();
  await seed(fixture.database, key);
  const storage = openStorage(`file://${folder}`);
  const wire = new FakeWire();
  const logger = new FakeLogger();
  const start = async (broadcasts: FakeBroadcasts): Promise<Replica> => {
    const registry = new Registry({
      settings: { HAVEN_LISTEN: { host: '127.0.0.1', port: 0 }, HAVEN_EXTERNAL_URL: undefined, HAVEN_TRUSTED_PROXIES: parseAddressRanges('127.0.0.0/8'), HAVEN_STORAGE: `file://${folder}` },
      database: fixture.database, storage, broadcasts, logger, metrics: new Metrics(),
    });
    await registry.prepare();
    const { port } = await registry.listen();
    return { url: `http://127.0.0.1:${port}`, stop: () => registry.stop() };
  };
  const broadcasts = new FakeBroadcasts({ wire });
  const registry = await start(broadcasts);
  const sign = (access: readonly AccessEntry[], user = 'user:1'): Promise<string> => {
    const now = Date.now() / 1000;
    return signRegistryToken(key, { subject: user, name: user, access, issuedAt: now, expiresAt: Math.floor(now) + 600, id: randomUUID() });
  };
  return {
    url: registry.url, folder, database: fixture.database, storage, broadcasts, logger, sign,
    replica: () => start(new FakeBroadcasts({ wire })),
    token: (grants, user) => sign(Object.entries(grants).map(([name, actions]) => ({ type: 'repository', name, actions, project: 1 })), user),
    stop: async () => {
      await registry.stop();
      await fixture.drop();
      await rm(folder, { recursive: true });
    },
  };
}

async function seed(database: Database, key: SigningKey): Promise<void> {
  await database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1), (2, 'bravo', 1)`);
  await database.execute('INSERT INTO signing_key (kid, public_jwk, sealed_private_jwk) VALUES ($1, $2, $3)', [key.kid, JSON.stringify(key.publicJwk), 'sealed']);
}
