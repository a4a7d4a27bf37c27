import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { digestOf, type Digest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { openStorage, type BlobStorage } from '@haven/storage';
import { GarbageWork } from './garbage-work.js';

let fixture: TestDatabase;
let folder: string;
let storage: BlobStorage;
let catalog: Catalog;
let work: GarbageWork;
beforeEach(async () => {
  fixture = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'haven-garbage-'));
  storage = openStorage(pathToFileURL(folder).href);
  catalog = new Catalog(fixture.database);
  work = new GarbageWork({ catalog, storage, configuration: { current: () => Promise.resolve({ bin_retention_days: 7, read_only: false }) }, logger: new FakeLogger(), metrics: new Metrics() });
  await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await fixture.database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
});
afterEach(async () => {
  await fixture.drop();
  rmSync(folder, { recursive: true });
});

async function upload(content: string): Promise<Digest> {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes);
  await catalog.claimBlob(digest);
  await storage.put(digest, bytes);
  await catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: 'user:1', digest, size: bytes.length });
  return digest;
}

async function hoursPass(): Promise<void> {
  for (const [table, column] of [['repository_blob', 'created_at'], ['blob', 'used_at'], ['unlinked_blob', 'unlinked_at'], ['garbage_progress', 'links_checked_until']]) {
    await fixture.database.execute(`UPDATE ${table} SET ${column} = ${column} - interval '3 hours'`);
  }
}

test('bytes of an upload that no manifest came for go from storage, and only those', async () => {
  const old = await upload('old');
  await hoursPass();
  const young = await upload('young');
  await work.collect();
  await hoursPass();
  const used = await upload('old and uploaded again');
  await catalog.findBlob('alpha/app', young);
  await work.collect();
  await work.fold();
  expect(await storage.stat(old)).toBeUndefined();
  expect([await storage.stat(young), await storage.stat(used)]).toEqual([{ size: 5 }, { size: 22 }]);
  expect(await catalog.usage(1)).toEqual({ hard: -1, used: 27 });
  expect(await upload('old')).toBe(old);
  expect(await storage.stat(old)).toEqual({ size: 3 });
});
