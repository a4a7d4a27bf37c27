import { NEVER, type CVEAllowlist } from '@haven/api';
import type { Queryable, Transaction } from '@haven/database';
import type { Allowlist } from './allowlist.js';

interface Row {
  readonly id: number;
  readonly project_id: number;
  readonly expires_at: string | null;
  readonly items: string[];
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The lists of these projects (0 for the installation's) by the project's id; an empty one where none was ever kept. */
export async function findAllowlists(database: Queryable, projectIds: readonly number[]): Promise<ReadonlyMap<number, CVEAllowlist>> {
  const rows = await database.query<Row>('SELECT id, project_id, expires_at, items, created_at, updated_at FROM cve_allowlist WHERE project_id = ANY($1::int[])', [projectIds]);
  const found = new Map(rows.map((row) => [row.project_id, allowlistOf(row)]));
  return new Map(projectIds.map((id) => [id, found.get(id) ?? { id: 0, project_id: id, expires_at: null, items: [], creation_time: NEVER, update_time: NEVER }]));
}

/** Puts the list in the place of the one that the project (0: the installation) had. */
export async function replaceAllowlist(transaction: Transaction, projectId: number, { items, expiresAt }: Allowlist): Promise<void> {
  await transaction.execute(
    `INSERT INTO cve_allowlist (project_id, items, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (project_id) DO UPDATE SET items = excluded.items, expires_at = excluded.expires_at, updated_at = now()`,
    [projectId, items, expiresAt ?? null],
  );
}

export async function removeAllowlist(transaction: Transaction, projectId: number): Promise<void> {
  await transaction.execute('DELETE FROM cve_allowlist WHERE project_id = $1', [projectId]);
}

function allowlistOf(row: Row): CVEAllowlist {
  return {
    id: row.id, project_id: row.project_id, expires_at: row.expires_at === null ? null : Number(row.expires_at), items: row.items.map((cve) => ({ cve_id: cve })),
    creation_time: row.created_at.toISOString(), update_time: row.updated_at.toISOString(),
  };
}
