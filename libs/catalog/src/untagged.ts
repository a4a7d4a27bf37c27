import type { Queryable } from '@haven/database';

export interface UntaggedArtifact {
  /** With its project. */
  readonly repository: string;
  readonly digest: string;
  /** In bytes, with everything it names. */
  readonly size: number;
}

export interface UntaggedPage {
  readonly artifacts: readonly UntaggedArtifact[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

/** Manifests looked at by one statement. */
const PAGE = 2000;

/**
 * Artifacts that no tag and no index names, that hang on no other artifact, and that were pushed longer ago than the grace
 * time: a push may still be about to tag a younger one. Delete them with `onlyUntagged`. Some pages have none at all. `after`: the previous page's `next`.
 */
export async function untaggedArtifacts(database: Queryable, { graceSeconds, after = '0' }: { readonly graceSeconds: number; readonly after?: string | undefined }): Promise<UntaggedPage> {
  const [last] = await database.query<{ id: string | null; looked: number }>(
    'SELECT max(id) AS id, count(*)::int AS looked FROM (SELECT id FROM manifest WHERE id > $1 ORDER BY id LIMIT $2) AS page', [after, PAGE]);
  if (!last || last.id === null) return { artifacts: [], next: undefined };
  const rows = await database.query<{ name: string; digest: string; total_size: string }>(
    `SELECT r.name, m.digest, m.total_size FROM manifest m JOIN repository r ON r.id = m.repository_id JOIN project p ON p.id = r.project_id
     WHERE m.id > $1 AND m.id <= $2 AND m.deleted_at IS NULL AND r.deleted_at IS NULL AND p.deleted_at IS NULL AND m.pushed_at < now() - make_interval(secs => $3)
       AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = m.id)
       AND NOT EXISTS (SELECT 1 FROM manifest_reference ref JOIN manifest parent ON parent.id = ref.parent_id
                       WHERE ref.repository_id = m.repository_id AND ref.child_digest = m.digest AND parent.deleted_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM accessory a JOIN manifest subject ON subject.repository_id = a.repository_id AND subject.digest = a.subject_digest
                       WHERE a.manifest_id = m.id AND subject.deleted_at IS NULL)
     ORDER BY m.id`,
    [after, last.id, graceSeconds],
  );
  return { artifacts: rows.map((row) => ({ repository: row.name, digest: row.digest, size: Number(row.total_size) })), next: last.looked < PAGE ? undefined : last.id };
}
