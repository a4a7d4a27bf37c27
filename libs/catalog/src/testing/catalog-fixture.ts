import { createTestDatabase, type Database, type TestDatabase } from '@haven/database';
import { digestOf, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { Catalog } from '../catalog.js';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A catalog over a database of its own, with the projects alpha (1) and bravo (2), and somebody who pushes into them. */
export class CatalogFixture {
  readonly actor = 'user:1';

  private constructor(
    private readonly test: TestDatabase,
    readonly catalog: Catalog,
  ) {}

  static async open(): Promise<CatalogFixture> {
    const test = await createTestDatabase();
    await test.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
    await test.database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1), (2, 'bravo', 1)`);
    return new CatalogFixture(test, new Catalog(test.database, new FakeLogger()));
  }

  get database(): Database {
    return this.test.database;
  }

  close(): Promise<void> {
    return this.test.drop();
  }

  /** A blob that holds this text. */
  async blob(repository: string, content: string): Promise<Descriptor> {
    const digest = digestOf(Buffer.from(content));
    await this.catalog.addBlob({ repository, projectId: projectOf(repository), actor: this.actor, digest, size: content.length });
    return { mediaType: 'application/octet-stream', digest, size: content.length };
  }

  /** An image whose config is 'config' and whose layers hold these texts. */
  async image(repository: string, layers: readonly string[], tags: readonly string[] = [], extra: object = {}): Promise<Descriptor> {
    const config = await this.blob(repository, 'config');
    const held: Descriptor[] = [];
    for (const layer of layers) held.push(await this.blob(repository, layer));
    return this.manifest(repository, { mediaType: OCI_IMAGE_MANIFEST, config, layers: held, ...extra }, tags);
  }

  index(repository: string, manifests: readonly Descriptor[], tags: readonly string[] = []): Promise<Descriptor> {
    return this.manifest(repository, { mediaType: OCI_IMAGE_INDEX, manifests }, tags);
  }

  async manifest(repository: string, content: { readonly mediaType: string; readonly [field: string]: unknown }, tags: readonly string[] = []): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...content }));
    const digest = digestOf(bytes);
    await this.catalog.putManifest({ repository, projectId: projectOf(repository), actor: this.actor, digest, manifest: parseManifest(bytes, undefined), size: bytes.length, tags });
    return { mediaType: content.mediaType, digest, size: bytes.length };
  }

  deleteArtifact(repository: string, { digest }: Pick<Descriptor, 'digest'>): Promise<void> {
    return this.catalog.deleteArtifact({ repository, digest, actor: this.actor, cascade: true });
  }

  async repositoryId(name: string): Promise<string> {
    return (await this.catalog.findRepository(name))?.id ?? '';
  }

  /** What each tag of a repository names. */
  async tags(repository: string): Promise<Record<string, string>> {
    const rows = await this.database.query<{ name: string; digest: string }>(
      `SELECT t.name, m.digest FROM tag t JOIN manifest m ON m.id = t.manifest_id JOIN repository r ON r.id = t.repository_id
       WHERE r.name = $1 AND r.deleted_at IS NULL ORDER BY t.name`, [repository]);
    return Object.fromEntries(rows.map((row) => [row.name, row.digest]));
  }

  /** The digests that a repository may serve, of everything that ever was in it. */
  async links(repository: string): Promise<Set<string>> {
    const rows = await this.database.query<{ digest: string }>(
      'SELECT rb.digest FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id WHERE r.name = $1', [repository]);
    return new Set(rows.map((row) => row.digest));
  }

  /** Events since the last call. */
  async events(): Promise<string[]> {
    const rows = await this.database.query<{ line: string }>(
      `WITH taken AS (DELETE FROM outbox RETURNING id, type, payload)
       SELECT concat_ws(' ', type, payload->>'repository', payload->>'tag') AS line FROM taken ORDER BY id`);
    return rows.map((row) => row.line);
  }

  /** Lets alpha hold so many bytes; -1 for any number. */
  async limit(bytes: number): Promise<void> {
    await this.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [bytes]);
  }
}

export function projectOf(repository: string): number {
  return repository.startsWith('alpha/') ? 1 : 2;
}

/** Why those that failed did: the codes of their errors, each once. */
export function refusals(outcomes: readonly PromiseSettledResult<unknown>[]): string[] {
  return [...new Set(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as { code?: string }).code ?? String(outcome.reason)] : [])))];
}
