import { appendEvents, type Database, type NewEvent, type Transaction } from '@haven/database';
import { takeOutOfBin } from './bin-entries.js';
import { linkBlobs } from './blob-links.js';
import { CatalogError } from './catalog-error.js';
import { isLost } from './lost.js';
import type { ManifestReference } from './manifests.js';
import { holdRepository, openRepository, type OpenRepository, type Repository, type RepositoryToOpen } from './repositories.js';
import { pointTag } from './tags.js';

export interface ArtifactToCopy {
  readonly from: { readonly repository: string; readonly reference: ManifestReference };
  /** The repository is made when it does not exist. */
  readonly to: { readonly repository: string; readonly projectId: number };
  readonly actor: string;
}

interface SourceManifest {
  readonly id: string;
  readonly digest: string;
  readonly media_type: string;
  readonly artifact_type: string;
}

/**
 * Copies an artifact with its children and accessories (and theirs), and the tag that names it in `from`, in one
 * transaction; blobs are shared, not copied. A tag of that name in the other repository is moved.
 * Rejects with 'repository-unknown', 'manifest-unknown', 'project-unknown', 'accessory-source', 'immutable',
 * 'references-missing', also when storage has lost something of it, or 'quota-exceeded'.
 */
export async function copyArtifact(database: Database, { from, to, actor }: ArtifactToCopy): Promise<{ readonly digest: string }> {
  return database.transaction(async (transaction) => {
    const source = await holdRepository(transaction, from.repository);
    const root = await findRoot(transaction, source, from.reference);
    const graph = await lockGraph(transaction, source, root);
    const target = await openForCopy(transaction, { ...to, actor });
    await copyLinks(transaction, source, target, graph);
    const copies = source.id === target.id ? new Map(graph.map(({ digest, id }) => [digest, id])) : await copyGraph(transaction, target, graph, actor);
    const events: NewEvent[] = [pushed(target, root, from.reference, actor)];
    if ('tag' in from.reference) events.push(...(await pointTag(transaction, target, from.reference.tag, { manifestId: copyOf(copies, root), digest: root.digest }, actor)));
    await appendEvents(transaction, events);
    return { digest: root.digest };
  });
}

async function findRoot(transaction: Transaction, source: Repository, reference: ManifestReference): Promise<SourceManifest> {
  const byTag = 'tag' in reference;
  const [row] = await transaction.query<SourceManifest & { readonly accessory: boolean }>(
    `SELECT m.id, m.digest, m.media_type, m.artifact_type, EXISTS (SELECT 1 FROM accessory a WHERE a.manifest_id = m.id) AS accessory
     FROM manifest m ${byTag ? 'JOIN tag t ON t.manifest_id = m.id AND t.repository_id = $1 AND t.name = $2 WHERE' : 'WHERE m.digest = $2 AND'}
     m.repository_id = $1 AND m.deleted_at IS NULL AND NOT ${isLost('m.digest')} FOR KEY SHARE OF m`,
    [source.id, byTag ? reference.tag : reference.digest],
  );
  if (!row) throw new CatalogError('manifest-unknown', `${source.name} has no artifact ${byTag ? reference.tag : reference.digest}`);
  if (row.accessory) throw new CatalogError('accessory-source', 'a signature or other accessory is copied with the artifact that it belongs to, not alone', [row.digest]);
  return row;
}

/** The artifact and all that hangs on it, kept from deletion. UNION makes the walk end on cycles: accessories may point at each other. */
async function lockGraph(transaction: Transaction, source: Repository, root: SourceManifest): Promise<SourceManifest[]> {
  const rows = await transaction.query<{ id: string }>(
    `WITH RECURSIVE graph AS (
       SELECT id, digest FROM manifest WHERE id = $2
       UNION
       SELECT m.id, m.digest FROM graph g JOIN manifest m ON m.repository_id = $1 AND m.deleted_at IS NULL AND (
         m.digest IN (SELECT ref.child_digest FROM manifest_reference ref WHERE ref.parent_id = g.id)
         OR m.id IN (SELECT a.manifest_id FROM accessory a WHERE a.repository_id = $1 AND a.subject_digest = g.digest)))
     SELECT id FROM graph`,
    [source.id, root.id],
  );
  return transaction.query<SourceManifest>(
    'SELECT id, digest, media_type, artifact_type FROM manifest WHERE id = ANY($1::bigint[]) AND deleted_at IS NULL ORDER BY digest FOR KEY SHARE',
    [rows.map((row) => row.id)],
  );
}

/** Nothing is unlinked from the repository until the transaction ends. */
async function openForCopy(transaction: Transaction, wanted: RepositoryToOpen): Promise<OpenRepository> {
  const repository = await openRepository(transaction, wanted);
  await transaction.query('SELECT id FROM repository WHERE id = $1 FOR NO KEY UPDATE', [repository.id]);
  return repository;
}

/** Resolves to the ids of the copies by their digests. */
async function copyGraph(transaction: Transaction, target: OpenRepository, graph: readonly SourceManifest[], actor: string): Promise<Map<string, string>> {
  const copies = await copyManifests(transaction, target, graph, actor);
  const fresh = copies.filter((copy) => copy.fresh);
  const revived = copies.filter((copy) => copy.revived);
  if (revived.length > 0) await takeOutOfBin(transaction, revived.map((copy) => copy.id));
  await copyParts(transaction, target, fresh);
  return new Map(copies.map((copy) => [copy.digest, copy.id]));
}

/**
 * Lets the target serve all that the source holds of the artifact. What storage has lost is refused also where manifests may
 * be sparse: a link to it would be needed for when it is back, and without its bytes the copy would be none.
 */
async function copyLinks(transaction: Transaction, source: Repository, target: OpenRepository, graph: readonly SourceManifest[]): Promise<void> {
  const rows = await transaction.query<{ digest: string; held: boolean }>(
    `WITH wanted AS (SELECT digest FROM manifest WHERE id = ANY($2::bigint[]) UNION SELECT digest FROM manifest_blob WHERE manifest_id = ANY($2::bigint[]))
     SELECT w.digest, EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = $1 AND rb.digest = w.digest) AS held FROM wanted w`,
    [source.id, graph.map((manifest) => manifest.id)],
  );
  const held = rows.filter((row) => row.held).map((row) => row.digest);
  const blobs = await transaction.query<{ digest: string; state: string }>(`SELECT digest, state FROM blob WHERE digest = ANY($1) ORDER BY digest FOR KEY SHARE`, [held]);
  const copied = new Set(blobs.filter((row) => row.state === 'present').map((row) => row.digest));
  const missing = (target.allowsSparseManifests ? held : rows.map((row) => row.digest)).filter((digest) => !copied.has(digest));
  if (missing.length > 0) throw new CatalogError('references-missing', `${source.name} does not hold everything that the artifact names`, missing);
  await linkBlobs(transaction, target.id, [...copied]);
}

interface CopiedManifest {
  readonly id: string;
  readonly digest: string;
  readonly source_id: string;
  readonly fresh: boolean;
  readonly revived: boolean;
}

async function copyManifests(transaction: Transaction, target: Repository, graph: readonly SourceManifest[], actor: string): Promise<CopiedManifest[]> {
  return transaction.query<CopiedManifest>(
    `WITH copied AS (
       INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size,
                             annotations, extra_attrs, subject_digest, icon, pushed_by)
       SELECT $1, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size, annotations, extra_attrs, subject_digest, icon, $3
       FROM manifest WHERE id = ANY($2::bigint[]) ORDER BY digest
       ON CONFLICT (repository_id, digest) DO UPDATE
         SET deleted_at = NULL, pushed_at = CASE WHEN manifest.deleted_at IS NULL THEN manifest.pushed_at ELSE now() END
       RETURNING id, digest, xmax = 0 AS fresh, xmax <> 0 AND pushed_at = now() AS revived)
     SELECT copied.*, source.id AS source_id FROM copied JOIN manifest source ON source.id = ANY($2::bigint[]) AND source.digest = copied.digest`,
    [target.id, graph.map((manifest) => manifest.id), actor],
  );
}

/** What new copies name: blobs, entries of indexes, and the subject of accessories. */
async function copyParts(transaction: Transaction, target: Repository, copies: readonly CopiedManifest[]): Promise<void> {
  if (copies.length === 0) return;
  await transaction.execute(
    `WITH pair AS (SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS pair (source_id, copy_id)),
     blobs AS (
       INSERT INTO manifest_blob (manifest_id, digest, repository_id)
       SELECT pair.copy_id, mb.digest, $1 FROM pair JOIN manifest_blob mb ON mb.manifest_id = pair.source_id),
     children AS (
       INSERT INTO manifest_reference (parent_id, position, repository_id, child_digest, media_type, size, platform, annotations, urls)
       SELECT pair.copy_id, ref.position, $1, ref.child_digest, ref.media_type, ref.size, ref.platform, ref.annotations, ref.urls
       FROM pair JOIN manifest_reference ref ON ref.parent_id = pair.source_id)
     INSERT INTO accessory (manifest_id, repository_id, subject_digest, type)
     SELECT pair.copy_id, $1, a.subject_digest, a.type FROM pair JOIN accessory a ON a.manifest_id = pair.source_id`,
    [target.id, copies.map((copy) => copy.source_id), copies.map((copy) => copy.id)],
  );
}

function copyOf(copies: ReadonlyMap<string, string>, { digest }: SourceManifest): string {
  const id = copies.get(digest);
  if (id === undefined) throw new Error('the copied artifact has no row');
  return id;
}

function pushed(target: Repository, root: SourceManifest, reference: ManifestReference, actor: string): NewEvent {
  return {
    type: 'artifact.pushed',
    payload: {
      project: target.projectId, repository: target.name, digest: root.digest, tags: 'tag' in reference ? [reference.tag] : [],
      mediaType: root.media_type, artifactType: root.artifact_type,
    },
    actor,
  };
}
