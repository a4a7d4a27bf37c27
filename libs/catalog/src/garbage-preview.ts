import type { Database } from '@haven/database';
import { isHeld } from './garbage-candidates.js';

/** Blobs that nothing needs. */
export interface UnneededBlobs {
  readonly blobs: number;
  readonly bytes: number;
}

/** What a collection would find if it began now. */
export interface GarbagePreview {
  /** What it would remove. */
  readonly due: UnneededBlobs;
  /** What was uploaded, used or given up too short a time ago; `until` is when the last of it is due. */
  readonly young: UnneededBlobs & { readonly until: Date | undefined };
  /** Deletions that can be undone and the manifests in them, the oldest of which went there at `oldest`. */
  readonly bin: { readonly entries: number; readonly manifests: number; readonly oldest: Date | undefined };
  /** What went into the bin before `binBefore`: it would be removed for good. */
  readonly overdue: { readonly entries: number; readonly manifests: number };
}

export interface PreviewWanted {
  readonly graceSeconds: number;
  readonly binBefore: Date;
  /** Rejects with its reason once it is aborted. */
  readonly signal?: AbortSignal;
}

interface PageRow {
  readonly looked: number;
  readonly last_time: string | null;
  readonly last_digest: string | null;
  readonly due: string;
  readonly due_bytes: string;
  readonly young: string;
  readonly young_bytes: string;
  readonly until: Date | null;
}

/** Looked at by one statement; each takes some index look-ups. */
const PAGE = 5000;

/**
 * Tells what a collection would find, and changes nothing. Uploads without a manifest, and what purging the bin gives up,
 * become due only after the grace time: the collection that finds them does not remove them yet.
 */
export async function previewGarbage(database: Database, { graceSeconds, binBefore, signal }: PreviewWanted): Promise<GarbagePreview> {
  const [marked] = await database.query<{ blobs: number; bytes: string }>(`SELECT count(*)::int AS blobs, coalesce(sum(size), 0) AS bytes FROM blob WHERE state = 'deleting'`);
  const due = { blobs: marked?.blobs ?? 0, bytes: Number(marked?.bytes ?? 0) };
  const young: { blobs: number; bytes: number; until: Date | undefined } = { blobs: 0, bytes: 0, until: undefined };
  for (let after = { time: '-infinity', digest: '' }; ;) {
    signal?.throwIfAborted();
    const [page] = await database.query<PageRow>(PAGE_SQL, [graceSeconds, after.time, after.digest, PAGE]);
    if (!page || page.last_time === null || page.last_digest === null) break;
    due.blobs += Number(page.due);
    due.bytes += Number(page.due_bytes);
    young.blobs += Number(page.young);
    young.bytes += Number(page.young_bytes);
    if (page.until !== null && (young.until === undefined || page.until > young.until)) young.until = page.until;
    if (page.looked < PAGE) break;
    after = { time: page.last_time, digest: page.last_digest };
  }
  return { due, young, ...(await previewBin(database, binBefore)) };
}

/** Of most lost blobs there are no bytes. Damaged ones have some, which is not known here: a collection may free more than this. */
const PAGE_SQL = `WITH page AS (
    SELECT u.digest, u.unlinked_at FROM unlinked_blob u
    WHERE u.unlinked_at >= $2::timestamptz AND (u.unlinked_at, u.digest) > ($2::timestamptz, $3) ORDER BY u.unlinked_at, u.digest LIMIT $4),
  unneeded AS (
    SELECT CASE WHEN b.state = 'lost' THEN 0 ELSE b.size END AS size, greatest(page.unlinked_at, b.used_at) + make_interval(secs => $1) AS due_at
    FROM page JOIN blob b ON b.digest = page.digest WHERE b.state <> 'deleting' AND NOT ${isHeld('b.digest')})
  SELECT (SELECT count(*)::int FROM page) AS looked, (SELECT max(unlinked_at)::text FROM page) AS last_time,
    (SELECT digest FROM page ORDER BY unlinked_at DESC, digest DESC LIMIT 1) AS last_digest,
    count(*) FILTER (WHERE due_at < now()) AS due, coalesce(sum(size) FILTER (WHERE due_at < now()), 0) AS due_bytes,
    count(*) FILTER (WHERE due_at >= now()) AS young, coalesce(sum(size) FILTER (WHERE due_at >= now()), 0) AS young_bytes, max(due_at) FILTER (WHERE due_at >= now()) AS until
  FROM unneeded`;

async function previewBin(database: Database, binBefore: Date): Promise<Pick<GarbagePreview, 'bin' | 'overdue'>> {
  const [entries] = await database.query<{ young: number; old: number; oldest: Date | null }>(
    `SELECT (count(*) FILTER (WHERE deleted_at >= $1))::int AS young, (count(*) FILTER (WHERE deleted_at < $1))::int AS old,
       min(deleted_at) FILTER (WHERE deleted_at >= $1) AS oldest FROM bin_entry`,
    [binBefore],
  );
  const [manifests] = await database.query<{ young: number; old: number }>(
    `SELECT (count(*) FILTER (WHERE deleted_at >= $1))::int AS young, (count(*) FILTER (WHERE deleted_at < $1))::int AS old FROM manifest WHERE deleted_at IS NOT NULL`,
    [binBefore],
  );
  return {
    bin: { entries: entries?.young ?? 0, manifests: manifests?.young ?? 0, oldest: entries?.oldest ?? undefined },
    overdue: { entries: entries?.old ?? 0, manifests: manifests?.old ?? 0 },
  };
}

/** Whether a collection would find anything to do: cheap enough to be asked again and again. */
export async function hasGarbage(database: Database, { graceSeconds, binBefore }: Pick<PreviewWanted, 'graceSeconds' | 'binBefore'>): Promise<boolean> {
  const [row] = await database.query<{ some: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM blob WHERE state = 'deleting')
         OR EXISTS (SELECT 1 FROM unlinked_blob WHERE unlinked_at < now() - make_interval(secs => $1))
         OR EXISTS (SELECT 1 FROM repository_blob rb, garbage_progress g WHERE rb.created_at > g.links_checked_until AND rb.created_at < now() - make_interval(secs => $1))
         OR EXISTS (SELECT 1 FROM bin_entry WHERE deleted_at < $2)
         OR EXISTS (SELECT 1 FROM manifest WHERE deleted_at < $2)
         OR EXISTS (SELECT 1 FROM repository WHERE deleted_at < $2) AS some`,
    [graceSeconds, binBefore],
  );
  return row?.some === true;
}
