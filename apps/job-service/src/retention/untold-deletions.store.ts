import { appendEvents, type Database, type Transaction } from '@haven/database';
import type { EventPayload } from '@haven/messages';
import type { ListedCandidate } from './retention.store.js';

type Payload = EventPayload<'retention.finished'>;
type Deleted = Payload['deleted'][number];

/** What others are told of at most: artifacts, and tags of each. */
const MOST_TOLD = 1000;
const MOST_TAGS = 100;
const TASKS_AT_ONCE = 100;

/** What the audit trail and the history of tags name as the one who deleted. */
export const RETENTION_ORIGIN = { name: 'retention', address: '', requestId: '' } as const;

interface RunRow {
  readonly project: number;
  readonly repository: string;
  readonly policy: string;
  readonly execution: string;
  readonly trigger: string;
  readonly rules: Payload['rules'];
  readonly total: number;
  readonly retained: number;
}

/**
 * What retention runs deleted and nobody was told of yet. It is noted in the transaction of the deletion, and forgotten in
 * that of the event: whatever is killed in between, each deletion is told of once.
 */
export class UntoldDeletions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes a deletion of the task, in its transaction; of those beyond what the event lists only the task's counts know. */
  async note(transaction: Transaction, task: number, { digest, kind, tags }: Pick<ListedCandidate, 'digest' | 'kind' | 'tags'>): Promise<void> {
    await transaction.execute(
      `INSERT INTO untold_deletion (task_id, digest, kind, tags)
       SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM untold_deletion WHERE task_id = $1) < ${MOST_TOLD}`,
      [task, digest, kind, tags.slice(0, MOST_TAGS).map(({ name }) => name)],
    );
  }

  /** Tells, as an event, what the task deleted, if anything. `claim` says so in the same transaction, and rejects when the task is another's. */
  async announce(task: number, claim: (transaction: Transaction) => Promise<void>): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await claim(transaction);
      await tell(transaction, task);
    });
  }

  /** The same for the tasks that ended without it: they failed, were stopped, or lost their workers once too often. */
  async announceLeft(): Promise<void> {
    const rows = await this.#database.query<{ id: string }>(
      `SELECT t.id FROM task t WHERE t.ended_at IS NOT NULL AND t.id IN (SELECT task_id FROM untold_deletion) ORDER BY t.id LIMIT ${TASKS_AT_ONCE}`,
    );
    for (const { id } of rows) await this.#database.transaction((transaction) => tell(transaction, Number(id)));
  }
}

/** Whoever comes second waits for the first, and finds nothing. */
async function tell(transaction: Transaction, task: number): Promise<void> {
  const deleted = await transaction.query<Deleted>(
    'WITH told AS (DELETE FROM untold_deletion WHERE task_id = $1 RETURNING id, digest, kind, tags) SELECT digest, kind, tags FROM told ORDER BY id',
    [task],
  );
  if (deleted.length === 0) return;
  const [run] = await transaction.query<RunRow>(
    `SELECT p.id AS project, p.name || '/' || (t.extra_attrs->>'repository') AS repository, e.vendor_id AS policy, e.id AS execution, e.trigger, e.extra_attrs->'rules' AS rules,
       (t.extra_attrs->>'total')::int AS total, (t.extra_attrs->>'retained')::int AS retained
     FROM task t JOIN execution e ON e.id = t.execution_id JOIN project p ON p.id = (e.extra_attrs->>'project_id')::int WHERE t.id = $1`,
    [task],
  );
  if (run === undefined) return; // With its project; nobody is left who could be told.
  const { project, repository, policy, execution, trigger, rules, total, retained } = run;
  const payload: Payload = { project, repository, policy: Number(policy), execution: Number(execution), task, trigger, total, retained, rules, deleted };
  await appendEvents(transaction, [{ type: 'retention.finished', payload, actor: '', origin: RETENTION_ORIGIN }]);
}
