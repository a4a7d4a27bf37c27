import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import type { DeliveredEvent } from '@haven/messages';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { QuotaWatch } from './quota-watch.js';

const REPOSITORY = 'alpha/app';
const LIMIT = 100_000;

let fixture: TestDatabase;
let catalog: Catalog;
let watch: QuotaWatch;

beforeAll(async () => {
  fixture = await createTestDatabase();
  catalog = new Catalog(fixture.database, new FakeLogger());
  watch = new QuotaWatch(fixture.database);
  await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'x', 'x')`);
  await fixture.database.execute(`INSERT INTO project (id, name, owner_id, storage_limit) VALUES (1, 'alpha', 1, ${LIMIT})`);
});
afterAll(() => fixture.drop());
beforeEach(async () => {
  for (const table of ['tag', 'manifest_reference', 'manifest_blob', 'bin_manifest', 'bin_entry', 'repository_blob', 'manifest', 'outbox', 'quota_notice']) await fixture.database.execute(`DELETE FROM ${table}`);
});

/** Pushes an artifact that takes so many bytes, and a little. */
async function push(tag: string, size: number): Promise<Digest> {
  const [config, layer] = [randomBytes(16), digestOf(randomBytes(16))];
  await catalog.addBlob({ repository: REPOSITORY, projectId: 1, actor: 'user:1', digest: layer, size });
  await catalog.addBlob({ repository: REPOSITORY, projectId: 1, actor: 'user:1', digest: digestOf(config), size: config.length });
  const document = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: OCI_IMAGE_CONFIG, digest: digestOf(config), size: config.length }, layers: [{ mediaType: 'application/octet-stream', digest: layer, size }] };
  const bytes = Buffer.from(JSON.stringify(document));
  await catalog.putManifest({ repository: REPOSITORY, projectId: 1, actor: 'user:1', digest: digestOf(bytes), manifest: parseManifest(bytes, undefined), size: bytes.length, tags: [tag] });
  return digestOf(bytes);
}

/** Deletes an artifact; resolves to the event that tells of it. */
async function remove(digest: Digest): Promise<DeliveredEvent> {
  await catalog.deleteArtifact({ repository: REPOSITORY, digest, actor: 'user:1', cascade: true });
  const [row] = await fixture.database.query<DeliveredEvent & { readonly createdAt: Date }>(
    `SELECT event_id AS id, type, payload, actor, origin, created_at AS "createdAt" FROM outbox WHERE type = 'artifact.deleted' ORDER BY outbox.id DESC LIMIT 1`,
  );
  if (row === undefined) throw new Error('the deletion was not told of');
  return row;
}

const refuse = (): Promise<void> => expect(push('too much', LIMIT)).rejects.toThrow('Quota exceeded');

async function refusalsTold(): Promise<number> {
  return (await fixture.database.query(`SELECT 1 FROM outbox WHERE type = 'quota.exceeded'`)).length;
}

test('the first refusal after something was freed is told, also when as much is taken again by then', async () => {
  const first = await push('first', 90_000);
  await refuse();
  await new Promise((resolve) => setTimeout(resolve, 5)); // Events are dated to the millisecond.
  const deleted = await remove(first);
  await push('again', 95_000);
  await watch.handle(deleted);
  await refuse();
  await refuse();
  expect(await refusalsTold()).toBe(2);
});

test('a deletion that is delivered once more makes no refusal news: nothing was freed since the last one that was told', async () => {
  const first = await push('first', 50_000);
  await push('second', 40_000);
  const deleted = await remove(first);
  await watch.handle(deleted);
  await refuse();
  await watch.handle(deleted);
  await refuse();
  expect(await refusalsTold()).toBe(1);
});

test('a refusal while a deletion is under way does not keep the next one from being told', async () => {
  const first = await push('first', 90_000);
  const [{ now: begun } = { now: new Date() }] = await fixture.database.query<{ now: Date }>('SELECT now() AS now');
  await refuse();
  // A long deletion has the time at which it began.
  await watch.handle({ ...(await remove(first)), createdAt: begun });
  await push('second', 95_000);
  await refuse();
  expect(await refusalsTold()).toBe(2);
});
