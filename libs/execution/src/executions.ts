import type { Database, Transaction } from '@haven/database';
import type { Broadcasts, JobQueue } from '@haven/messages';
import type { Logger } from '@haven/runtime';
import type { Attributes, CountsOfExecutions, DueTasks, Execution, ExecutionFilter, ExecutionOwner, Listed, NewExecution, PageOf, StartedExecution, Task, TaskPlace, TaskReport } from './execution.js';
import { EXECUTION_FIELDS, executionOf, REVISION, TASK_FIELDS, taskOf, type ExecutionRow, type TaskRow } from './execution-rows.js';
import { countTasks, refreshExecution } from './execution-status.js';
import { vendorOf, type VendorType } from './vendor.js';

export interface ExecutionParts {
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly broadcasts: Broadcasts;
  readonly logger: Logger;
}

const LOG_REMOVED = 'this log was removed after its time (HAVEN_JOB_LOG_DAYS of the job service)\n';

/**
 * A task's id in the queue: while it waits there, asking again changes nothing. With each attempt it is another one, so
 * that a worker which hangs does not keep the task from being queued again.
 */
export function queueIdOf(task: number, attempts: number): string {
  return `task-${task}-${attempts}`;
}

/**
 * What the platform does in the background: executions and their tasks. The rows are the truth; the queue only wakes the
 * workers, and a wake-up that is lost is made good by TaskSweep.
 */
export class Executions {
  readonly #parts: ExecutionParts;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
  }

  /** Starts an execution. Without tasks it has ended already. */
  async start(wanted: NewExecution): Promise<StartedExecution> {
    const started = await this.#parts.database.transaction((transaction) => this.startIn(transaction, wanted));
    await this.wake(started);
    return started;
  }

  /** As start, as a part of a larger transaction: call `wake` once that is committed. */
  async startIn(transaction: Transaction, wanted: NewExecution): Promise<StartedExecution> {
    const { vendorType, vendorId, trigger, startedBy, attributes, tasks } = wanted;
    const outcome = wanted.outcome ?? { status: 'Success', message: '' };
    const [status, message] = tasks.length > 0 ? ['Running', ''] : [outcome.status, outcome.message];
    const [row] = await transaction.query<{ id: string }>(
      `INSERT INTO execution (vendor_type, vendor_id, trigger, started_by, extra_attrs, status, status_message, ended_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $6 = 'Running' THEN NULL ELSE now() END) RETURNING id`,
      [vendorType, vendorId, trigger, startedBy, JSON.stringify(attributes), status, message],
    );
    const id = Number(row?.id);
    const rows = await transaction.query<{ id: string }>(
      `INSERT INTO task (execution_id, vendor_type, extra_attrs, queued_at)
       SELECT $1, $2, attributes, now() FROM unnest($3::jsonb[]) AS attributes RETURNING id`,
      [id, vendorType, tasks.map((one) => JSON.stringify(one))],
    );
    return { id, vendorType, taskIds: rows.map((task) => Number(task.id)) };
  }

  /** As startIn, for many executions with one task each, in two statements. Resolves to them in their order. */
  async startAllIn(transaction: Transaction, wanted: readonly NewExecution[]): Promise<StartedExecution[]> {
    if (wanted.length === 0) return [];
    const ids = await transaction.query<{ execution: string; task: string }>(
      `SELECT nextval(pg_get_serial_sequence('execution', 'id')) AS execution, nextval(pg_get_serial_sequence('task', 'id')) AS task FROM generate_series(1, $1::int) ORDER BY 1`,
      [wanted.length],
    );
    const started = wanted.map(({ vendorType }, index) => ({ id: Number(ids[index]?.execution), vendorType, taskIds: [Number(ids[index]?.task)] }));
    await transaction.execute(
      `WITH wanted AS (
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::jsonb[], $7::bigint[], $8::jsonb[])
           AS w (id, vendor_type, vendor_id, trigger, started_by, attributes, task_id, task_attributes)),
       started AS (
         INSERT INTO execution (id, vendor_type, vendor_id, trigger, started_by, extra_attrs) SELECT id, vendor_type, vendor_id, trigger, started_by, attributes FROM wanted)
       INSERT INTO task (id, execution_id, vendor_type, extra_attrs, queued_at) SELECT task_id, id, vendor_type, task_attributes, now() FROM wanted`,
      [
        started.map(({ id }) => id), wanted.map((one) => one.vendorType), wanted.map((one) => one.vendorId), wanted.map((one) => one.trigger), wanted.map((one) => one.startedBy),
        wanted.map((one) => JSON.stringify(one.attributes)), started.map(({ taskIds }) => taskIds[0]), wanted.map(({ tasks: [task] }) => JSON.stringify(task ?? {})),
      ],
    );
    return started;
  }

  /** Tells the queue of the tasks. Never rejects: what the queue does not take now it is told of later. */
  wake(due: DueTasks): Promise<void> {
    return this.wakeAll([due]);
  }

  /** As wake, in one round trip for each kind. */
  async wakeAll(due: readonly DueTasks[]): Promise<void> {
    for (const vendorType of new Set(due.map((one) => one.vendorType))) {
      const taskIds = due.filter((one) => one.vendorType === vendorType).flatMap((one) => one.taskIds);
      if (taskIds.length === 0) continue;
      try {
        await this.#parts.jobs.addAll(vendorOf(vendorType).job, taskIds.map((task) => ({ payload: { task }, id: queueIdOf(task, 0) })));
      } catch (error) {
        this.#parts.logger.warn('tasks could not be queued; they are found again', { error, vendor_type: vendorType, tasks: taskIds.length });
      }
    }
  }

  /**
   * Asks an execution to stop: what has not begun ends at once, what runs ends within seconds. Resolves to false when the
   * owner has no such execution; one that has ended stays as it is.
   */
  async stop(owner: ExecutionOwner, id: number): Promise<boolean> {
    const found = await this.#parts.database.transaction((transaction) => this.stopIn(transaction, owner, id));
    if (found) this.announceStop(id);
    return found;
  }

  /** As stop, as a part of a larger transaction: call `announceStop` once that is committed. */
  async stopIn(transaction: Transaction, owner: ExecutionOwner, id: number): Promise<boolean> {
    const [row] = await transaction.query<{ ended: boolean }>(
      'SELECT ended_at IS NOT NULL AS ended FROM execution WHERE id = $1 AND vendor_type = $2 AND vendor_id = $3 FOR UPDATE',
      [id, owner.vendorType, owner.vendorId],
    );
    if (row === undefined) return false;
    if (row.ended) return true;
    await transaction.execute('UPDATE execution SET stop_requested_at = coalesce(stop_requested_at, now()), updated_at = now() WHERE id = $1', [id]);
    await transaction.execute(
      `UPDATE task SET status = 'Stopped', status_revision = ${REVISION}, updated_at = now(), ended_at = now() WHERE execution_id = $1 AND status IN ('Pending', 'Scheduled')`,
      [id],
    );
    await refreshExecution(transaction, id);
    return true;
  }

  announceStop(id: number): void {
    this.#parts.broadcasts.publish('execution-stopped', { execution: id });
  }

  async find(owner: ExecutionOwner, id: number): Promise<Execution | undefined> {
    const [row] = await this.#parts.database.query<ExecutionRow>(
      `SELECT ${EXECUTION_FIELDS} FROM execution WHERE id = $1 AND vendor_type = $2 AND vendor_id = $3`,
      [id, owner.vendorType, owner.vendorId],
    );
    return row && executionOf(row);
  }

  /** The latest first, unless the filter says otherwise. */
  async list({ vendorType, vendorId }: ExecutionOwner, { page, size }: PageOf, { status, trigger, oldestFirst = false }: ExecutionFilter = {}): Promise<Listed<Execution>> {
    const chosen = 'vendor_type = $1 AND vendor_id = $2 AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR trigger = $4)';
    const parameters = [vendorType, vendorId, status ?? null, trigger ?? null];
    const order = oldestFirst ? 'started_at, id' : 'started_at DESC, id DESC';
    const [count] = await this.#parts.database.query<{ total: number }>(`SELECT count(*)::int AS total FROM execution WHERE ${chosen}`, parameters);
    const rows = await this.#parts.database.query<ExecutionRow>(
      `SELECT ${EXECUTION_FIELDS} FROM execution WHERE ${chosen} ORDER BY ${order} LIMIT $5 OFFSET $6`,
      [...parameters, size, (page - 1) * size],
    );
    return { items: rows.map(executionOf), total: count?.total ?? 0 };
  }

  /** The tasks of an execution, in the order of their making; undefined when the owner has no such execution. */
  async tasks(owner: ExecutionOwner, id: number, { page, size }: PageOf): Promise<Listed<Task> | undefined> {
    if ((await this.find(owner, id)) === undefined) return undefined;
    const [count] = await this.#parts.database.query<{ total: number }>('SELECT count(*)::int AS total FROM task WHERE execution_id = $1', [id]);
    const rows = await this.#parts.database.query<TaskRow>(
      `SELECT ${TASK_FIELDS} FROM task t WHERE t.execution_id = $1 ORDER BY t.id LIMIT $2 OFFSET $3`,
      [id, size, (page - 1) * size],
    );
    return { items: rows.map(taskOf), total: count?.total ?? 0 };
  }

  /** What a task wrote down, 10 MB at most; undefined when the owner has no such execution with this task. */
  async log(owner: ExecutionOwner, execution: number, task: number): Promise<string | undefined> {
    const [row] = await this.#parts.database.query<{ text: string | null; log_removed: boolean }>(
      `SELECT t.log_removed, (SELECT string_agg(l.text, '' ORDER BY l.id) FROM task_log l WHERE l.task_id = t.id) AS text FROM task t JOIN execution e ON e.id = t.execution_id
       WHERE t.id = $3 AND e.id = $2 AND e.vendor_type = $1 AND e.vendor_id = $4`,
      [owner.vendorType, execution, task, owner.vendorId],
    );
    return row && (row.log_removed ? LOG_REMOVED : (row.text ?? ''));
  }

  /** Where the task with this job id is. */
  async place(jobId: string): Promise<TaskPlace | undefined> {
    const [row] = await this.#parts.database.query<{ id: string; execution_id: string; vendor_type: VendorType; vendor_id: string }>(
      'SELECT t.id, t.execution_id, e.vendor_type, e.vendor_id FROM task t JOIN execution e ON e.id = t.execution_id WHERE t.job_id = $1', [jobId]);
    return row && { owner: { vendorType: row.vendor_type, vendorId: Number(row.vendor_id) }, executionId: Number(row.execution_id), taskId: Number(row.id) };
  }

  /** Executions of which a task runs just now, with their owners. */
  async running(): Promise<readonly Omit<TaskPlace, 'taskId'>[]> {
    const rows = await this.#parts.database.query<{ id: string; vendor_type: VendorType; vendor_id: string }>(
      `SELECT DISTINCT e.id, e.vendor_type, e.vendor_id FROM task t JOIN execution e ON e.id = t.execution_id WHERE t.ended_at IS NULL AND t.status = 'Running' ORDER BY e.id`);
    return rows.map((row) => ({ owner: { vendorType: row.vendor_type, vendorId: Number(row.vendor_id) }, executionId: Number(row.id) }));
  }

  /** What each execution's tasks say about themselves, in one query; executions without tasks are left out. */
  async reports(executions: readonly number[]): Promise<ReadonlyMap<number, TaskReport>> {
    const rows = await this.#parts.database.query<{ execution_id: string; extra_attrs: Attributes; status_message: string }>(
      'SELECT execution_id, extra_attrs, status_message FROM task WHERE execution_id = ANY($1::bigint[]) ORDER BY id', [executions]);
    const reports = new Map<number, TaskReport>();
    for (const { execution_id: execution, extra_attrs: attributes, status_message: message } of rows) {
      const before = reports.get(Number(execution));
      reports.set(Number(execution), { attributes: { ...before?.attributes, ...attributes }, message: message === '' ? (before?.message ?? '') : message });
    }
    return reports;
  }

  /** How many tasks of each execution stand where, in one query. */
  counts(executions: readonly number[]): Promise<CountsOfExecutions> {
    return countTasks(this.#parts.database, executions);
  }

  /** Ends and forgets everything of an owner that is no more; the workers notice that their tasks are gone. */
  async forgetIn(transaction: Transaction, { vendorType, vendorId }: ExecutionOwner): Promise<void> {
    await transaction.execute('DELETE FROM execution WHERE vendor_type = $1 AND vendor_id = $2', [vendorType, vendorId]);
  }
}
