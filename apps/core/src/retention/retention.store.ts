import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@haven/database';
import type { StoredRetention } from '@haven/execution';

export interface RetentionRow {
  readonly id: number;
  readonly projectId: number;
  readonly policy: StoredRetention;
}

interface Row {
  readonly id: number;
  readonly project_id: number;
  readonly policy: StoredRetention;
}

@Injectable()
export class RetentionStore {
  constructor(private readonly database: Database) {}

  async find(id: number): Promise<RetentionRow | undefined> {
    const [row] = await this.database.query<Row>('SELECT id, project_id, policy FROM retention_policy WHERE id = $1', [id]);
    return row && { id: row.id, projectId: row.project_id, policy: row.policy };
  }
}

/** Keeps other changes of the project and its policy waiting until the transaction ends; false when it is gone. */
export async function lockProjectPolicy(transaction: Transaction, projectId: number): Promise<boolean> {
  return (await transaction.query('SELECT 1 FROM project WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE', [projectId])).length > 0;
}

/** How many runs of the policy have not ended. */
export async function countRuns(transaction: Transaction, id: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>(`SELECT count(*)::int AS count FROM execution WHERE vendor_type = 'RETENTION' AND vendor_id = $1 AND ended_at IS NULL`, [id]);
  return row?.count ?? 0;
}

/** The new policy's id; undefined when the project has one already. Do it with the project locked. */
export async function insertPolicy(transaction: Transaction, projectId: number, policy: StoredRetention): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    'INSERT INTO retention_policy (project_id, policy) VALUES ($1, $2) ON CONFLICT (project_id) DO NOTHING RETURNING id',
    [projectId, JSON.stringify(policy)],
  );
  return row?.id;
}

/** Whether it is still there. */
export async function updatePolicy(transaction: Transaction, id: number, policy: StoredRetention): Promise<boolean> {
  return (await transaction.execute('UPDATE retention_policy SET policy = $2, updated_at = now() WHERE id = $1', [id, JSON.stringify(policy)])) > 0;
}

/** Whether it was still there. */
export async function deletePolicy(transaction: Transaction, id: number): Promise<boolean> {
  return (await transaction.execute('DELETE FROM retention_policy WHERE id = $1', [id])) > 0;
}

/** Keeps what the project says about its policy in step: clients find the policy by the project's metadata. */
export async function notePolicy(transaction: Transaction, projectId: number, id: number | undefined): Promise<void> {
  const change = id === undefined ? `metadata - 'retention_id'` : `metadata || jsonb_build_object('retention_id', $2::text)`;
  await transaction.execute(`UPDATE project SET metadata = ${change}, updated_at = now() WHERE id = $1`, id === undefined ? [projectId] : [projectId, String(id)]);
}
