import type { Queryable, Transaction } from '@haven/database';
import type { CountsOfExecutions } from './execution.js';
import { statusOfTasks, taskCounts, type ExecutionStatus } from './status.js';

/**
 * Holds an execution, so that nobody else changes the statuses of its tasks or its own until the transaction ends. Do it
 * before any row of a task is changed: then all who wait do so in one order.
 */
export async function lockExecution(transaction: Transaction, id: number): Promise<boolean> {
  return (await transaction.query('SELECT 1 FROM execution WHERE id = $1 FOR UPDATE', [id])).length > 0;
}

/** Works out a locked execution's status from those of its tasks. */
export async function refreshExecution(transaction: Transaction, id: number): Promise<void> {
  const counts = (await countTasks(transaction, [id])).get(id) ?? taskCounts([]);
  const status = statusOfTasks(counts);
  await transaction.execute(
    `UPDATE execution SET status = $2, updated_at = now(), ended_at = CASE WHEN $2 = 'Running' THEN NULL ELSE coalesce(ended_at, now()) END
     WHERE id = $1 AND status <> $2`,
    [id, status],
  );
}

/** How many tasks of each execution stand where. */
export async function countTasks(database: Queryable, executions: readonly number[]): Promise<CountsOfExecutions> {
  const rows = await database.query<{ execution_id: string; status: ExecutionStatus; count: number }>(
    'SELECT execution_id, status, count(*)::int AS count FROM task WHERE execution_id = ANY($1::bigint[]) GROUP BY execution_id, status',
    [executions],
  );
  return new Map(executions.map((id) => [id, taskCounts(rows.filter((row) => Number(row.execution_id) === id))]));
}
