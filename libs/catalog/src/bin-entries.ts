import type { Transaction } from '@haven/database';
import type { Repository } from './repositories.js';

export type BinKind = 'tag' | 'artifact' | 'repository';

/** A tag as the bin keeps it. */
export interface BinnedTag {
  readonly name: string;
  readonly digest: string;
  /** ISO 8601. */
  readonly pushedAt: string;
  readonly pulledAt?: string | undefined;
}

interface NewBinEntry {
  readonly kind: BinKind;
  readonly repository: Repository;
  /** Of a deleted tag. */
  readonly tag?: string;
  /** What the tag named, or the artifact that somebody deleted. */
  readonly digest?: string;
  /** The tags that went. */
  readonly tags: readonly { readonly name: string; readonly digest: string; readonly pushed_at: Date; readonly pulled_at: Date | null }[];
  /** The manifests that went, or that the deleted tag named. */
  readonly manifestIds: readonly string[];
  readonly actor: string;
}

/** Writes down a deletion, in the transaction that makes it, so that it can be undone. Resolves to the entry's id. */
export async function putIntoBin(transaction: Transaction, entry: NewBinEntry): Promise<string> {
  const tags: BinnedTag[] = entry.tags.map((tag) => ({ name: tag.name, digest: tag.digest, pushedAt: tag.pushed_at.toISOString(), pulledAt: tag.pulled_at?.toISOString() }));
  const [row] = await transaction.query<{ id: string }>(
    `WITH entry AS (
       INSERT INTO bin_entry (kind, project_id, repository_id, repository, tag, digest, tags, deleted_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id),
     manifests AS (INSERT INTO bin_manifest (entry_id, manifest_id) SELECT entry.id, manifest FROM entry, unnest($9::bigint[]) AS manifest)
     SELECT id FROM entry`,
    [
      entry.kind, entry.repository.projectId, entry.repository.id, entry.repository.name, entry.tag ?? null, entry.digest ?? null,
      JSON.stringify(tags), entry.actor, entry.manifestIds,
    ],
  );
  if (row === undefined) throw new Error('the entry of the bin has no id');
  return row.id;
}

/** Manifests that live again are in the bin no more, and neither are deletions of which nothing is left to undo. */
export async function takeOutOfBin(transaction: Transaction, manifestIds: readonly string[]): Promise<void> {
  await transaction.execute(
    `WITH entries AS (
       DELETE FROM bin_manifest bm USING bin_entry e WHERE bm.manifest_id = ANY($1::bigint[]) AND e.id = bm.entry_id AND e.kind <> 'tag' RETURNING e.id)
     DELETE FROM bin_entry e WHERE e.kind = 'artifact' AND e.id IN (SELECT id FROM entries)
       AND NOT EXISTS (SELECT 1 FROM bin_manifest left_over WHERE left_over.entry_id = e.id AND left_over.manifest_id <> ALL($1::bigint[]))`,
    [manifestIds],
  );
}
