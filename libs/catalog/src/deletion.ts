import { appendEvents, type Database, type NewEvent, type Transaction } from '@haven/database';
import { putIntoBin } from './bin-entries.js';
import { noteAbsent, unlinkContentOf } from './blob-links.js';
import { CatalogError } from './catalog-error.js';
import { requireDeletable } from './immutability.js';
import { changeRepository, type ChangingRepository } from './repositories.js';
import { dropTags, type TagToDrop } from './tags.js';

export interface ArtifactToDelete {
  readonly repository: string;
  readonly digest: string;
  readonly actor: string;
  /** Also what hangs on it alone: accessories, and untagged children that no other index names (the Harbor API's rule). */
  readonly cascade: boolean;
  /** Only while no tag names it. */
  readonly onlyUntagged?: boolean;
  /** Called in the transaction of the deletion, at its end: what it writes is there when, and only when, the artifact is gone. */
  readonly onDeleted?: (transaction: Transaction) => Promise<void>;
}

/** What the event of an artifact lists at most. */
const MOST_TAGS_TOLD = 1000;

interface ManifestRow {
  readonly id: string;
  readonly digest: string;
}

/**
 * Puts an artifact, with its tags, into the bin: it is gone for clients at once, and so is what only it named; the bytes go
 * with garbage collection. Rejects with 'manifest-unknown', 'immutable' for the sake of one of the tags, or 'referenced'
 * while an index names it. With `onlyUntagged`, rejects with 'tag-exists' when it has a tag.
 */
export async function deleteArtifact(database: Database, wanted: ArtifactToDelete): Promise<void> {
  await database.transaction(async (transaction) => {
    const repository = await changeRepository(transaction, wanted.repository);
    const target = repository && (await lockManifest(transaction, repository.id, wanted.digest));
    if (!repository || !target) throw new CatalogError('manifest-unknown', `${wanted.repository} holds no manifest ${wanted.digest}`);
    if (wanted.onlyUntagged === true) await requireUntagged(transaction, target);
    const parents = await liveParents(transaction, repository.id, wanted.digest);
    if (parents.length > 0) throw new CatalogError('referenced', `an index still names ${wanted.digest}; delete the index first`, parents);
    const doomed = wanted.cascade ? await withDependants(transaction, repository.id, target) : [target];
    const { tags, events } = await binManifests(transaction, repository, doomed, { kind: 'artifact', digest: wanted.digest, actor: wanted.actor });
    await unlinkContentOf(transaction, repository.id, doomed.map((manifest) => manifest.id));
    const own = tags.filter(({ digest }) => digest === wanted.digest).slice(0, MOST_TAGS_TOLD).map(({ name }) => name);
    const payload = { project: repository.projectId, repository: repository.name, digest: wanted.digest, tags: own };
    await appendEvents(transaction, [...events, { type: 'artifact.deleted', payload, actor: wanted.actor }]);
    await wanted.onDeleted?.(transaction);
  });
}

/** Puts a repository with all its artifacts into the bin. Rejects with 'repository-unknown', or 'immutable' for the sake of one of its tags. */
export async function deleteRepository(database: Database, wanted: { readonly repository: string; readonly actor: string }): Promise<void> {
  await database.transaction(async (transaction) => {
    const repository = await changeRepository(transaction, wanted.repository, { alone: true });
    if (!repository) throw new CatalogError('repository-unknown', `there is no repository ${wanted.repository}`);
    const manifests = await transaction.query<ManifestRow>(
      'SELECT id, digest FROM manifest WHERE repository_id = $1 AND deleted_at IS NULL ORDER BY digest FOR UPDATE', [repository.id]);
    const { entry, events } = await binManifests(transaction, repository, manifests, { kind: 'repository', actor: wanted.actor });
    await transaction.execute('UPDATE repository SET deleted_at = now(), updated_at = now() WHERE id = $1', [repository.id]);
    await transaction.execute('DELETE FROM repository_blob WHERE repository_id = $1', [repository.id]);
    await transaction.execute('DELETE FROM upload WHERE repository = $1 AND project_id = $2', [wanted.repository, repository.projectId]);
    const payload = { project: repository.projectId, repository: wanted.repository, binEntry: entry };
    await appendEvents(transaction, [...events, { type: 'repository.deleted', payload, actor: wanted.actor }]);
  });
}

async function lockManifest(transaction: Transaction, repositoryId: string, digest: string): Promise<ManifestRow | undefined> {
  const [row] = await transaction.query<ManifestRow>(
    'SELECT id, digest FROM manifest WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL FOR UPDATE',
    [repositoryId, digest],
  );
  return row;
}

/** The manifest is locked, so it gets no tag meanwhile. */
async function requireUntagged(transaction: Transaction, { id, digest }: ManifestRow): Promise<void> {
  const [tag] = await transaction.query<{ name: string }>('SELECT name FROM tag WHERE manifest_id = $1 LIMIT 1', [id]);
  if (tag) throw new CatalogError('tag-exists', `${digest} has the tag ${tag.name}`, [], { tags: [tag.name] });
}

async function liveParents(transaction: Transaction, repositoryId: string, digest: string): Promise<string[]> {
  const rows = await transaction.query<{ digest: string }>(
    `SELECT DISTINCT m.digest FROM manifest_reference ref JOIN manifest m ON m.id = ref.parent_id
     WHERE ref.repository_id = $1 AND ref.child_digest = $2 AND m.deleted_at IS NULL LIMIT 10`,
    [repositoryId, digest],
  );
  return rows.map((row) => row.digest);
}

/**
 * The artifact, its accessories (and theirs), and children that nothing else keeps; never what another index names. Each
 * step looks up what hangs on one artifact, however many the repository has. UNION makes the walk end on cycles: accessories
 * may point at each other.
 */
async function withDependants(transaction: Transaction, repositoryId: string, target: ManifestRow): Promise<ManifestRow[]> {
  const rows = await transaction.query<ManifestRow>(
    `WITH RECURSIVE doomed AS (
       SELECT id, digest FROM manifest WHERE id = $2
       UNION
       SELECT m.id, m.digest FROM doomed d
       CROSS JOIN LATERAL (
         SELECT a.manifest_id FROM accessory a WHERE a.repository_id = $1 AND a.subject_digest = d.digest
         UNION ALL
         SELECT c.id FROM manifest_reference ref JOIN manifest c ON c.repository_id = $1 AND c.digest = ref.child_digest
         WHERE ref.parent_id = d.id AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = c.id)) AS hanging (manifest_id)
       JOIN manifest m ON m.id = hanging.manifest_id AND m.repository_id = $1 AND m.deleted_at IS NULL
       WHERE NOT EXISTS (SELECT 1 FROM manifest_reference other JOIN manifest parent ON parent.id = other.parent_id
                         WHERE other.repository_id = $1 AND other.child_digest = m.digest
                           AND other.parent_id <> d.id AND parent.deleted_at IS NULL))
     SELECT id, digest FROM doomed`,
    [repositoryId, target.id],
  );
  await transaction.query('SELECT id FROM manifest WHERE id = ANY($1::bigint[]) ORDER BY digest FOR UPDATE', [rows.map((row) => row.id)]);
  return rows;
}

interface Deletion {
  readonly kind: 'artifact' | 'repository';
  readonly digest?: string;
  readonly actor: string;
}

interface Binned {
  /** The entry's id. */
  readonly entry: string;
  readonly tags: readonly TagToDrop[];
  readonly events: readonly NewEvent[];
}

async function binManifests(transaction: Transaction, repository: ChangingRepository, manifests: readonly ManifestRow[], deletion: Deletion): Promise<Binned> {
  const ids = manifests.map((manifest) => manifest.id);
  const tags = await transaction.query<TagToDrop>(
    `SELECT t.id, t.name, m.digest, t.pushed_at, t.pulled_at FROM tag t JOIN manifest m ON m.id = t.manifest_id
     WHERE t.manifest_id = ANY($1::bigint[]) ORDER BY t.name FOR UPDATE OF t`,
    [ids],
  );
  requireDeletable(repository.rules, repository.name, tags.map((tag) => tag.name));
  const entry = await putIntoBin(transaction, { ...deletion, repository, tags, manifestIds: ids });
  const events = await dropTags(transaction, repository, tags, deletion.actor);
  await transaction.execute('UPDATE manifest SET deleted_at = now() WHERE id = ANY($1::bigint[])', [ids]);
  await noteAbsent(transaction, repository.id, ids);
  return { entry, tags, events };
}
