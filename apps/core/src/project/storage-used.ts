/**
 * SQL for the bytes that a project's repositories hold, each blob counted once: what the database has summed up, and the
 * changes that it has not added to that sum yet.
 *
 * @param project the alias of the table
 */
export function storageUsedSql(project: string): string {
  return `(${project}.storage_used + coalesce((SELECT sum(c.bytes) FROM quota_change c WHERE c.project_id = ${project}.id), 0))`;
}
