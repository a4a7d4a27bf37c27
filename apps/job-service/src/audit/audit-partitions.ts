import type { Database, Transaction } from '@haven/database';
import type { Logger } from '@haven/runtime';

/** Held by whoever changes the partitions; an arbitrary constant. */
const PARTITIONS_LOCK = 4_273_031;
const MONTHS_AHEAD = 2;
/** Writers of the trail wait for us at most this long; then we give way and try again with the next run. */
const LOCK_TIMEOUT = '5s';

interface Month {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Keeps a partition of the audit trail ready for each month from now to two months ahead, and moves what fell into the
 * default partition to its month. Partitions of months gone by that hold nothing any more are removed. May be run at any
 * time, by any number of processes.
 */
export async function keepAuditPartitions(database: Database, logger: Logger, now: Date = new Date()): Promise<void> {
  const ahead = Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) => monthOf(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + index, 1))));
  const stray = await strayMonths(database);
  const wanted = new Map([...ahead, ...stray].map((month) => [month.name, month]));
  for (const month of wanted.values()) {
    const moved = await database.transaction((transaction) => makePartition(transaction, month));
    if (moved !== undefined) logger.info('a partition of the audit trail was made', { partition: month.name, moved });
  }
  const current = monthOf(now).name;
  for (const name of await partitions(database)) {
    if (name >= current) continue;
    if (await database.transaction((transaction) => dropIfEmpty(transaction, name))) logger.info('an empty partition of the audit trail was removed', { partition: name });
  }
}

function monthOf(day: Date): Month {
  const start = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1));
  const end = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1));
  return { name: `audit_event_${start.toISOString().slice(0, 7).replace('-', '_')}`, from: start.toISOString(), to: end.toISOString() };
}

async function strayMonths(database: Database): Promise<Month[]> {
  const rows = await database.query<{ month: Date }>(`SELECT DISTINCT date_trunc('month', op_time, 'UTC') AS month FROM audit_event_default`);
  return rows.map((row) => monthOf(row.month));
}

/** Names of the monthly partitions, oldest first. */
async function partitions(database: Database): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'audit_event'::regclass AND c.relname ~ '^audit_event_\\d{4}_\\d\\d$' ORDER BY c.relname`,
  );
  return rows.map((row) => row.name);
}

/**
 * Resolves to the number of lines that moved; undefined when the partition was there already. The default partition is
 * locked before it is emptied, so that no line slips in between; readers and writers of other partitions go on.
 */
async function makePartition(transaction: Transaction, { name, from, to }: Month): Promise<number | undefined> {
  if (!(await takeTurn(transaction)) || (await exists(transaction, name))) return undefined;
  await transaction.execute(`CREATE TABLE ${name} (LIKE audit_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)`);
  await transaction.execute('LOCK TABLE audit_event_default IN ACCESS EXCLUSIVE MODE');
  const moved = await transaction.execute(
    `WITH gone AS (DELETE FROM audit_event_default WHERE op_time >= $1 AND op_time < $2 RETURNING *) INSERT INTO ${name} SELECT * FROM gone`,
    [from, to],
  );
  await transaction.execute(`ALTER TABLE audit_event ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`);
  return moved;
}

async function dropIfEmpty(transaction: Transaction, name: string): Promise<boolean> {
  if ((await transaction.query(`SELECT 1 FROM ${name} LIMIT 1`)).length > 0) return false;
  if (!(await takeTurn(transaction)) || !(await exists(transaction, name))) return false;
  await transaction.execute(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  if ((await transaction.query(`SELECT 1 FROM ${name} LIMIT 1`)).length > 0) return false;
  await transaction.execute(`DROP TABLE ${name}`);
  return true;
}

/** Whether nobody else is at it; the lock goes with the transaction. */
async function takeTurn(transaction: Transaction): Promise<boolean> {
  await transaction.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
  const [row] = await transaction.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [PARTITIONS_LOCK]);
  return row?.mine === true;
}

async function exists(transaction: Transaction, name: string): Promise<boolean> {
  const [row] = await transaction.query<{ present: boolean }>('SELECT to_regclass($1) IS NOT NULL AS present', [name]);
  return row?.present === true;
}
