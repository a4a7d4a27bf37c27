import type { Database } from '@haven/database';

const BATCH = 5_000;
/** What Harbor's word "other" leaves out. */
const ARTIFACT_TYPES = ['create_artifact', 'delete_artifact', 'pull_artifact'];

export interface AuditPurge {
  /** Lines of operations before this time go. */
  readonly before: Date;
  /** Kinds of lines such as `pull_artifact`; `other` stands for all but those of artifacts. Left out, all kinds. */
  readonly types?: readonly string[];
  /** Only counts. */
  readonly dryRun?: boolean;
  /** Told after each some thousands how many went so far; its rejection ends the purge. */
  readonly onProgress?: (purged: number) => Promise<void>;
}

/** Removes lines of the audit trail, some thousands at a time so that nobody waits for it; resolves to how many. */
export async function purgeAudit(database: Pick<Database, 'query' | 'execute'>, { before, types, dryRun = false, onProgress }: AuditPurge): Promise<number> {
  const kind = `operation || '_' || resource_type`;
  const chosen = `op_time < $1 AND ($2::text[] IS NULL OR ${kind} = ANY($2) OR ($3 AND ${kind} <> ALL($4::text[])))`;
  const parameters = [before, types ?? null, types?.includes('other') ?? false, ARTIFACT_TYPES];
  if (dryRun) {
    const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM audit_event WHERE ${chosen}`, parameters);
    return Number(row?.count ?? 0);
  }
  let purged = 0;
  for (let count = BATCH; count === BATCH;) {
    count = await database.execute(
      `DELETE FROM audit_event WHERE (op_time, id) IN (SELECT op_time, id FROM audit_event WHERE ${chosen} ORDER BY op_time, id LIMIT ${BATCH})`,
      parameters,
    );
    purged += count;
    await onProgress?.(purged);
  }
  return purged;
}
