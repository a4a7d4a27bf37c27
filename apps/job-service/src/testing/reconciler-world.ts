import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configurationOf } from '@haven/api';
import { Catalog, type GarbageToCollect } from '@haven/catalog';
import { createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, planReconciliation, TaskWorker, type ReconciliationProgress, type ReconciliationRun } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { blobPath, createTestBucket, openStorage, type BlobStorage, type UploadState } from '@haven/storage';
import type { ComparedStorage } from '../reconciler/finding.js';
import { Reconciler } from '../reconciler/reconciler.js';
import { ReconciliationStore } from '../reconciler/reconciliation.store.js';

export interface TestStorage {
  readonly storage: BlobStorage;
  /** Begins a commit that never ends; resolves to its name as findings have it, or to undefined where there are none. */
  readonly abandonCommit: (digest: Digest) => Promise<string | undefined>;
  readonly remove: () => void;
}

export type StorageKind = 'files' | 'S3';

export async function openTestStorage(kind: StorageKind): Promise<TestStorage> {
  if (kind === 'files') {
    const folder = mkdtempSync(join(tmpdir(), 'haven-reconciler-'));
    return { storage: openStorage(pathToFileURL(folder).href), abandonCommit: async () => undefined, remove: () => { rmSync(folder, { recursive: true }); } };
  }
  const bucket = await createTestBucket();
  return {
    storage: openStorage(bucket.address({ prefix: 'p' }), bucket.keys),
    abandonCommit: async (digest) => `${digest} ${await bucket.client.initiateNewMultipartUpload(bucket.name, `p/${blobPath(digest)}`, {})}`,
    remove: () => undefined,
  };
}

export interface FoundRow {
  readonly kind: string;
  readonly name: string;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A catalog and its storage, with what a test puts into them behind each other's back. */
export class ReconcilerWorld {
  readonly catalog: Catalog;
  readonly logger = new FakeLogger();
  readonly broadcasts = new FakeBroadcasts();
  readonly executions: Executions;
  #files: TestStorage;

  private constructor(readonly fixture: TestDatabase, files: TestStorage) {
    this.catalog = new Catalog(fixture.database, new FakeLogger());
    this.#files = files;
    this.executions = new Executions({ database: fixture.database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: this.logger });
  }

  static async open(kind: StorageKind): Promise<ReconcilerWorld> {
    const fixture = await createTestDatabase();
    await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
    await fixture.database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
    return new ReconcilerWorld(fixture, await openTestStorage(kind));
  }

  get storage(): BlobStorage {
    return this.#files.storage;
  }

  /** Its storage, with some of its calls replaced. */
  storageWith(changes: Partial<ComparedStorage>): ComparedStorage {
    const { storage } = this;
    return {
      list: (options) => storage.list(options), stat: (digest) => storage.stat(digest), read: (digest) => storage.read(digest), staleUploads: (before) => storage.staleUploads(before),
      abort: (state) => storage.abort(state), unfinishedCommits: (before) => storage.unfinishedCommits(before), dropCommit: (commit) => storage.dropCommit(commit), ...changes,
    };
  }

  abandonCommit(digest: Digest): Promise<string | undefined> {
    return this.#files.abandonCommit(digest);
  }

  async close(): Promise<void> {
    await this.fixture.drop();
    this.#files.remove();
  }

  /** As the registry stores a blob. */
  async blob(bytes: Buffer, repository = 'alpha/app'): Promise<Digest> {
    const digest = digestOf(bytes);
    await this.catalog.claimBlob(digest);
    await this.storage.put(digest, bytes);
    await this.catalog.addBlob({ repository, projectId: 1, actor: 'user:1', digest, size: bytes.length });
    return digest;
  }

  /** An image of one layer; resolves to the digests of the layer, the config and the manifest. */
  async image(layer: Buffer, repository = 'alpha/app'): Promise<{ readonly layer: Digest; readonly config: Digest; readonly manifest: Digest }> {
    const config = Buffer.from(JSON.stringify({ id: randomUUID() }));
    const [layerDigest, configDigest] = [await this.blob(layer, repository), await this.blob(config, repository)];
    const document = {
      schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: OCI_IMAGE_CONFIG, digest: configDigest, size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layerDigest, size: layer.length }],
    };
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    await this.storage.put(digest, bytes);
    await this.catalog.putManifest({ repository, projectId: 1, actor: 'user:1', digest, manifest: parseManifest(bytes, undefined), size: bytes.length, tags: [] });
    return { layer: layerDigest, config: configDigest, manifest: digest };
  }

  /** Bytes that the catalog does not know. */
  async orphan(bytes: Buffer = randomBytes(40)): Promise<Digest> {
    await this.storage.put(digestOf(bytes), bytes);
    return digestOf(bytes);
  }

  /** Bytes in an upload, with the session that they belong to or without. */
  async upload({ session }: { readonly session: boolean }): Promise<UploadState> {
    const id = randomUUID();
    const upload = session ? await this.catalog.createUpload({ id, repository: 'alpha/app', projectId: 1, subject: 'user:1', state: { id, received: 0 } }) : undefined;
    const { state } = await this.storage.append(await this.storage.createUpload(id), chunks(randomBytes(30)));
    if (upload !== undefined) await this.catalog.saveUpload(upload, state, state.received);
    return state;
  }

  /** Puts other bytes where a blob is. */
  async overwrite(digest: Digest, bytes: Buffer): Promise<void> {
    const file = this.storage.localFile(digest);
    if (file === undefined) return this.storage.put(digest, bytes);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }

  /** Plans a comparison; resolves to the ids of its execution and its task. */
  async plan(run: Partial<ReconciliationRun> = {}): Promise<{ readonly id: number; readonly task: number }> {
    const started = await this.executions.start(planReconciliation({ trigger: 'MANUAL', startedBy: 'user:1', run: { reclaim: false, rehash: false, grace_seconds: 0, ...run } }));
    return { id: started.id, task: started.taskIds[0] ?? 0 };
  }

  worker(storage: ComparedStorage = this.storage): TaskWorker {
    const { database } = this.fixture;
    const worker = new TaskWorker({ database, broadcasts: new FakeBroadcasts(), logger: this.logger, metrics: new Metrics(), heartbeatMs: 200 });
    const reconciler = new Reconciler({ store: new ReconciliationStore(database), storage, catalog: this.catalog, settings: new SettingsTable(database, configurationOf), broadcasts: this.broadcasts, logger: this.logger });
    worker.handle('STORAGE_RECONCILIATION', (context) => reconciler.run(context));
    return worker;
  }

  /** Compares; resolves to the execution's id. */
  async compare(run: Partial<ReconciliationRun> = {}): Promise<number> {
    const { id, task } = await this.plan(run);
    await this.worker().run(task);
    return id;
  }

  found(execution: number): Promise<FoundRow[]> {
    return this.fixture.database.query<FoundRow>('SELECT kind, name, outcome, details FROM storage_finding WHERE execution_id = $1 AND confirmed ORDER BY kind, name', [execution]);
  }

  async task(execution: number): Promise<{ readonly status: string; readonly message: string; readonly progress: ReconciliationProgress; readonly log: string }> {
    const [row] = await this.fixture.database.query<{ status: string; status_message: string; extra_attrs: ReconciliationProgress; log: string }>(
      `SELECT t.status, t.status_message, t.extra_attrs, (SELECT coalesce(string_agg(l.text, '' ORDER BY l.id), '') FROM task_log l WHERE l.task_id = t.id) AS log FROM task t WHERE t.execution_id = $1`,
      [execution],
    );
    if (row === undefined) throw new Error(`execution ${execution} has no task`);
    return { status: row.status, message: row.status_message, progress: row.extra_attrs, log: row.log };
  }

  /** Lets time pass for garbage collection. */
  async hoursPass(): Promise<void> {
    for (const [table, column] of [['repository_blob', 'created_at'], ['blob', 'used_at'], ['unlinked_blob', 'unlinked_at'], ['garbage_progress', 'links_checked_until']]) {
      await this.fixture.database.execute(`UPDATE ${table} SET ${column} = ${column} - interval '3 hours'`);
    }
  }

  /** What the job service collects, but for the bin. */
  garbage(): GarbageToCollect {
    return {
      graceSeconds: 7200, binBefore: new Date(0), removeBytes: (digest) => this.storage.delete(digest), onFailure: (digest, error) => { throw new Error(`${digest} could not be removed`, { cause: error }); },
    };
  }

  async collect(): Promise<number> {
    return (await this.catalog.collectGarbage(this.garbage())).blobs;
  }

  /** The state of each blob of the catalog, by digest. */
  async states(): Promise<Record<string, string>> {
    const rows = await this.fixture.database.query<{ digest: string; state: string }>('SELECT digest, state FROM blob ORDER BY digest');
    return Object.fromEntries(rows.map(({ digest, state }) => [digest, state]));
  }

  /** What the project is charged for: its account, and the same figure from scratch. */
  async usage(): Promise<readonly number[]> {
    const [{ used }, anew] = [await this.catalog.usage(1), await this.catalog.recomputeUsage(1)];
    return used === anew ? [used] : [used, anew];
  }

  async storedBytes(): Promise<number> {
    let bytes = 0;
    for await (const { size } of this.storage.list()) bytes += size;
    return bytes;
  }

  async stored(): Promise<string[]> {
    const digests: string[] = [];
    for await (const { digest } of this.storage.list()) digests.push(digest);
    return digests;
  }
}

export async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(bytes);
}
