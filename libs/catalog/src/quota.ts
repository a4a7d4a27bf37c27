import { projectOf } from '@haven/oci';
import { appendEvents, type Database, type Queryable } from '@haven/database';
import type { Logger } from '@haven/runtime';
import { CatalogError, type QuotaExcess } from './catalog-error.js';

/** What a project may hold and what it holds, in bytes; a limit of -1 is none. */
export interface ProjectUsage {
  readonly hard: number;
  readonly used: number;
}

/** SQLSTATE of the triggers that keep a project's account (libs/database, quota-accounting.ts). */
const EXCEEDED = 'HVQ01';

/** What a project is charged for at this moment, exactly. Rejects with 'project-unknown'. */
export async function usage(database: Queryable, projectId: number): Promise<ProjectUsage> {
  const [row] = await database.query<{ hard: string; used: string }>(
    'SELECT storage_limit AS hard, project_used(id) AS used FROM project WHERE id = $1',
    [projectId],
  );
  if (!row) throw new CatalogError('project-unknown', 'there is no such project');
  return { hard: Number(row.hard), used: Number(row.used) };
}

/** The same figure from scratch: the size of every different blob that the project's repositories hold. Changes nothing. */
export async function recomputeUsage(database: Queryable, projectId: number): Promise<number> {
  const [row] = await database.query<{ used: string }>(
    `SELECT coalesce(sum(b.size), 0) AS used FROM blob b WHERE b.digest IN (
       SELECT rb.digest FROM repository r JOIN repository_blob rb ON rb.repository_id = r.id WHERE r.project_id = $1)`,
    [projectId],
  );
  return Number(row?.used ?? 0);
}

/**
 * Writes a project's account anew from what its repositories hold. Whoever links or unlinks a blob holds the project's row
 * FOR KEY SHARE, so nobody does meanwhile. Rejects with 'project-unknown'.
 */
export async function repairUsage(database: Database, projectId: number): Promise<ProjectUsage> {
  return database.transaction(async (transaction) => {
    const [project] = await transaction.query('SELECT id FROM project WHERE id = $1 FOR UPDATE', [projectId]);
    if (!project) throw new CatalogError('project-unknown', 'there is no such project');
    await transaction.execute('DELETE FROM quota_change WHERE project_id = $1', [projectId]);
    await transaction.execute('DELETE FROM project_blob WHERE project_id = $1', [projectId]);
    await transaction.execute(
      `WITH held AS (
         INSERT INTO project_blob (project_id, digest, size, repositories)
         SELECT $1, rb.digest, b.size, count(*) FROM repository r
         JOIN repository_blob rb ON rb.repository_id = r.id JOIN blob b ON b.digest = rb.digest
         WHERE r.project_id = $1 GROUP BY rb.digest, b.size RETURNING size)
       UPDATE project SET storage_used = (SELECT coalesce(sum(size), 0) FROM held) WHERE id = $1`,
      [projectId],
    );
    return usage(transaction, projectId);
  });
}

/**
 * Adds at most `limit` waiting changes to their projects' figures and resolves to how many there were. It alters no
 * figure that anybody reads, only what reading it costs. Several may run at once.
 */
export async function foldQuotaChanges(database: Database, limit: number): Promise<number> {
  return database.transaction(async (transaction) => {
    // In this order two of them, or one and a push into a limited project, wait for each other instead of in a circle.
    const changes = await transaction.query<{ id: string; project_id: number }>(
      'SELECT id, project_id FROM quota_change ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED', [limit]);
    if (changes.length === 0) return 0;
    await transaction.query('SELECT id FROM project WHERE id = ANY($1::int[]) ORDER BY id FOR NO KEY UPDATE', [changes.map((change) => change.project_id)]);
    await transaction.execute(
      `WITH folded AS (DELETE FROM quota_change WHERE id = ANY($1::bigint[]) RETURNING project_id, bytes),
       sums AS (SELECT project_id, sum(bytes) AS bytes FROM folded GROUP BY project_id)
       UPDATE project p SET storage_used = p.storage_used + sums.bytes FROM sums WHERE p.id = sums.project_id`,
      [changes.map((change) => change.id)],
    );
    return changes.length;
  });
}

/** What was being added to a project, and by whom. */
export interface Addition {
  readonly repository: string;
  readonly actor: string;
  readonly digest?: string;
  readonly tags?: readonly string[];
}

/** Runs `work`; when the database refuses it for the quota, says so in the catalog's words. */
export async function withinQuota<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw excessOf(error) ?? error;
  }
}

/** Whether the project is charged for a blob already, so that another of its repositories may have it for nothing. */
export async function projectHolds(database: Queryable, projectId: number, digest: string): Promise<boolean> {
  return (await database.query('SELECT 1 FROM project_blob WHERE project_id = $1 AND digest = $2', [projectId, digest])).length > 0;
}

/** The refusal for a request that would add `added` bytes; for those who see beforehand that there is no room. */
export async function quotaRefusal(database: Queryable, projectId: number, added: number): Promise<CatalogError> {
  const { hard, used } = await usage(database, projectId);
  return quotaExceeded({ hard, used, added });
}

/**
 * Tells, as an event, that a project is full, when this is why something was refused. It never rejects: whoever was refused
 * must hear that, and not that nobody could be told.
 */
export async function tellRefusal(database: Database, logger: Pick<Logger, 'warn'>, addition: Addition, error: unknown): Promise<void> {
  if (!(error instanceof CatalogError) || error.quota === undefined) return;
  try {
    await tellExceeded(database, addition, error.quota, error.message);
  } catch (fault) {
    logger.warn('the refusal for a quota could not be told as an event', { repository: addition.repository, error: fault });
  }
}

/**
 * Once until something was freed, the limit was changed or a day has passed: a client tries every layer. Those who come
 * while that holds only read; the conflict is of those who are the first at the same time.
 */
async function tellExceeded(database: Database, { repository, actor, digest, tags = [] }: Addition, quota: QuotaExcess, message: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const [told] = await transaction.query<{ project_id: number }>(
      `INSERT INTO quota_notice AS n (project_id, exceeded_at, exceeded_used, exceeded_hard)
       SELECT p.id, now(), $2, $3 FROM project p LEFT JOIN quota_notice n ON n.project_id = p.id WHERE p.name = $1 AND p.deleted_at IS NULL AND ${IS_NEWS}
       ON CONFLICT (project_id) DO UPDATE SET exceeded_at = excluded.exceeded_at, exceeded_used = excluded.exceeded_used, exceeded_hard = excluded.exceeded_hard WHERE ${IS_NEWS}
       RETURNING project_id`,
      [projectOf(repository), quota.used, quota.hard],
    );
    if (told === undefined) return;
    const payload = { project: told.project_id, repository, tags, ...quota, message, ...(digest === undefined ? {} : { digest }) };
    await appendEvents(transaction, [{ type: 'quota.exceeded', payload, actor }]);
  });
}

/** Whether what was told last, n, holds no more; nothing may have been told yet. */
const IS_NEWS = `(n.exceeded_at IS NULL OR n.exceeded_at < now() - interval '1 day' OR n.exceeded_hard <> $3::bigint OR n.exceeded_used > $2::bigint)`;

function excessOf(error: unknown): CatalogError | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== EXCEEDED) return undefined;
  const detail = JSON.parse('detail' in error ? String(error.detail) : '') as QuotaExcess;
  return quotaExceeded({ hard: detail.hard, used: detail.used, added: detail.added });
}

/** The sentence is Harbor's: tools look for it. */
function quotaExceeded(quota: QuotaExcess): CatalogError {
  return new CatalogError(
    'quota-exceeded',
    `Quota exceeded when processing the request of adding ${readableSize(quota.added)} of storage resource, which when updated to current usage of ${readableSize(quota.used)} will exceed the configured upper limit of ${readableSize(quota.hard)}`,
    [], { quota },
  );
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size as people read it, in Harbor's form: "12.3 MiB". */
export function readableSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} Byte`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length);
  return `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power - 1]}`;
}
