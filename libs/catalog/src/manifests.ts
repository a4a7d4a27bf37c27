import type { Digest, Manifest } from '@haven/oci';
import { appendEvents, type Database, type NewEvent, type Queryable, type Transaction } from '@haven/database';
import { takeOutOfBin } from './bin-entries.js';
import { accessoryOf, describeArtifact, type ArtifactDescription } from './artifact-type.js';
import { keepStored } from './blobs.js';
import { jsonForColumn, textForColumn } from './json-column.js';
import { isLost } from './lost.js';
import { checkReferences, namedContent } from './manifest-references.js';
import { openRepository, type OpenRepository, type RepositoryToOpen } from './repositories.js';
import { pointTag } from './tags.js';

export interface ManifestToPut extends RepositoryToOpen {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** Bytes of the manifest, which are in storage already. */
  readonly size: number;
  readonly tags: readonly string[];
  /** The config blob's bytes, where small enough to look into. */
  readonly config?: Uint8Array;
}

export interface StoredManifest {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
}

export type ManifestReference = { readonly tag: string } | { readonly digest: Digest };

/** Finds the manifest that a tag or digest names in a repository; none whose bytes are lost, so that clients put it again. */
export async function findManifest(database: Queryable, repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
  const byTag = 'tag' in reference;
  const [row] = await database.query<{ repository_id: string; digest: Digest; media_type: string; size: string }>(
    `SELECT m.repository_id, m.digest, m.media_type, m.size
     FROM repository r JOIN project p ON p.id = r.project_id AND p.deleted_at IS NULL
     ${byTag ? 'JOIN tag t ON t.repository_id = r.id AND t.name = $2 JOIN manifest m ON m.id = t.manifest_id' : 'JOIN manifest m ON m.repository_id = r.id AND m.digest = $2'}
     WHERE r.name = $1 AND r.deleted_at IS NULL AND m.deleted_at IS NULL AND NOT ${isLost('m.digest')}`,
    [repository, byTag ? reference.tag : reference.digest],
  );
  return row && { repositoryId: row.repository_id, digest: row.digest, mediaType: row.media_type, size: Number(row.size) };
}

/**
 * Makes a manifest part of its repository: checks that everything it names is there, writes the artifact, its
 * references and tags, the tags' history and the events, all in one transaction. Repeating it changes nothing more.
 * Resolves to the digests that it names and the repository does not hold, where the project allows that.
 * Rejects with 'references-missing', 'size-mismatch', 'project-unknown', 'blob-deleting', 'immutable' or 'quota-exceeded'.
 */
export async function putManifest(database: Database, put: ManifestToPut): Promise<{ readonly missing: readonly Digest[] }> {
  const description = describeArtifact(put.manifest, put.config);
  return database.transaction(async (transaction) => {
    const repository = await openRepository(transaction, put);
    const references = await checkReferences(transaction, repository, put.manifest);
    const row = await writeManifest(transaction, repository, put, description, Math.min(put.size + references.size, Number.MAX_SAFE_INTEGER));
    if (row.unkept) await keepStored(transaction, put.digest);
    if (row.revived) await takeOutOfBin(transaction, [row.id]);
    if (row.fresh && put.manifest.children.length > 0) await writeChildren(transaction, repository, row.id, put.manifest);
    await writeAccessory(transaction, repository, row.id, put);
    const events: NewEvent[] = [pushed(repository, put, description)];
    for (const tag of put.tags) events.push(...(await pointTag(transaction, repository, tag, { manifestId: row.id, digest: put.digest }, put.actor)));
    await appendEvents(transaction, events);
    return { missing: references.missing };
  });
}

interface WrittenManifest {
  readonly id: string;
  /** Whether it is new; otherwise its references are written already. */
  readonly fresh: boolean;
  /** Whether it came back from the bin. */
  readonly revived: boolean;
  /** Its bytes had a row that was not present: either it is present again, or none of this may stay. */
  readonly unkept: boolean;
}

/**
 * Inserts the artifact or takes it out of the bin, names its blobs, and makes it a blob of its repository: the latter after
 * the wait for a deletion of the same manifest that may be under way, for that takes the link along. Its blob is locked as in
 * addBlob.
 */
async function writeManifest(
  transaction: Transaction, repository: OpenRepository, put: ManifestToPut, description: ArtifactDescription, totalSize: number,
): Promise<WrittenManifest> {
  const { manifest } = put;
  const [row] = await transaction.query<WrittenManifest>(
    `WITH held AS (SELECT digest FROM blob WHERE digest = $2 AND state = 'present' FOR KEY SHARE),
     recorded AS (INSERT INTO blob (digest, size) VALUES ($2, $8) ON CONFLICT (digest) DO NOTHING),
     written AS (
       INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size,
                             annotations, extra_attrs, subject_digest, pushed_by, icon)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15)
       ON CONFLICT (repository_id, digest) DO UPDATE
         SET deleted_at = NULL, pushed_at = CASE WHEN manifest.deleted_at IS NULL THEN manifest.pushed_at ELSE now() END
       RETURNING id, xmax = 0 AS fresh, xmax <> 0 AND pushed_at = now() AS revived),
     linked AS (INSERT INTO repository_blob (repository_id, digest) SELECT $1, $2 FROM written ON CONFLICT DO NOTHING),
     named AS (
       INSERT INTO manifest_blob (manifest_id, digest, repository_id)
       SELECT written.id, named.digest, $1 FROM written, unnest($14::text[]) AS named (digest) WHERE written.fresh
       ON CONFLICT DO NOTHING)
     SELECT id, fresh, revived, EXISTS (SELECT 1 FROM blob WHERE digest = $2) AND NOT EXISTS (SELECT 1 FROM held) AS unkept FROM written`,
    [
      repository.id, put.digest, textForColumn(manifest.mediaType), manifest.kind, textForColumn(description.artifactType),
      textForColumn(manifest.config?.mediaType ?? ''), textForColumn(description.type), put.size, totalSize,
      manifest.annotations ? jsonForColumn(manifest.annotations) : null, attributesColumn(description.extraAttributes),
      manifest.subject?.digest ?? null, put.actor, namedContent(manifest).map((descriptor) => descriptor.digest),
      description.icon ?? null,
    ],
  );
  if (!row) throw new Error('the manifest upsert returned no row');
  return row;
}

/** Attributes are shown in every artifact list: what is too long for that keeps only its bytes in storage. */
const LONGEST_ATTRIBUTES = 256 * 1024;

function attributesColumn(attributes: object): string {
  const text = jsonForColumn(attributes);
  return text.length <= LONGEST_ATTRIBUTES ? text : '{}';
}

async function writeChildren(transaction: Transaction, repository: OpenRepository, manifestId: string, manifest: Manifest): Promise<void> {
  await transaction.execute(
    `INSERT INTO manifest_reference (parent_id, position, repository_id, child_digest, media_type, size, platform, annotations, urls)
     SELECT $1, position - 1, $2, child->>'digest', child->>'mediaType', (child->>'size')::bigint,
            child->'platform', child->'annotations', child->'urls'
     FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS entry (child, position)`,
    [manifestId, repository.id, jsonForColumn(manifest.children)],
  );
}

async function writeAccessory(transaction: Transaction, repository: OpenRepository, manifestId: string, put: ManifestToPut): Promise<void> {
  const accessory = accessoryOf(put.manifest, put.tags);
  if (!accessory) return;
  await transaction.execute(
    `INSERT INTO accessory (manifest_id, repository_id, subject_digest, type) VALUES ($1, $2, $3, $4)
     ON CONFLICT (manifest_id, subject_digest) DO NOTHING`,
    [manifestId, repository.id, accessory.subject, accessory.type],
  );
}

function pushed(repository: OpenRepository, put: ManifestToPut, description: ArtifactDescription): NewEvent {
  return {
    type: 'artifact.pushed',
    payload: {
      project: repository.projectId, repository: repository.name, digest: put.digest, tags: put.tags,
      mediaType: put.manifest.mediaType, artifactType: description.artifactType,
    },
    actor: put.actor,
  };
}
