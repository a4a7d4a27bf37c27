import type { DataSource, QueryRunner } from 'typeorm';
import { dataSourceFor } from './data-source.js';
import { databaseFault, DatabaseUnavailable } from './database-faults.js';
import { runStatement } from './statement.js';

/** Anything that runs SQL: the database itself (each statement on its own) or a transaction. */
export interface Queryable {
  /** Rows of a parameterised statement ($1, $2, …). Rejects with DatabaseUnavailable when the server cannot be reached. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /**
   * The same, planned for these very values each time, which takes a fraction of a millisecond more: for lists, where the
   * best plan for one repository or project is not that for another, and whose text is put together anew.
   */
  queryAnew<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Runs a statement and resolves to the number of rows it touched. */
  execute(sql: string, parameters?: readonly unknown[]): Promise<number>;
}

/** One open transaction; valid only inside the function that received it. */
export type Transaction = Queryable;

export interface DatabaseOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  /** Connections kept at most. */
  readonly poolSize: number;
  /** Told about connections that broke while idle. */
  readonly onPoolError?: (error: unknown) => void;
}

/** Held by whichever process migrates; an arbitrary constant that only has to be the same everywhere. */
const MIGRATION_LOCK = 4_273_001;
const PLANNED_ANEW = true;
const TRANSACTION_ATTEMPTS = 5;
const FIRST_RETRY_MS = 20;

/** The platform's one PostgreSQL database: pool, transactions and schema version. */
export class Database implements Queryable {
  #opening: Promise<unknown> | undefined;

  constructor(readonly dataSource: DataSource) {}

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.#withRunner(async (runner) => (await runStatement(runner, sql, parameters)).rows as Row[]);
  }

  async queryAnew<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.#withRunner(async (runner) => (await runStatement(runner, sql, parameters, PLANNED_ANEW)).rows as Row[]);
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    return this.#withRunner(async (runner) => (await runStatement(runner, sql, parameters)).rowCount ?? 0);
  }

  /**
   * Runs `work` in one READ COMMITTED transaction. It is run again, a few times and with growing pauses, after a
   * deadlock, a serialization failure or a connection lost before COMMIT was sent, so it must not have effects
   * outside the database. A connection lost during COMMIT is reported: nobody knows whether it took place.
   */
  async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(work);
      if ('result' in outcome) return outcome.result;
      if (!outcome.repeatable || attempt === TRANSACTION_ATTEMPTS) throw outcome.error;
      await pause(FIRST_RETRY_MS * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }

  /** Brings the schema up to date; one process at a time, the others wait. */
  async migrate(): Promise<void> {
    await this.#withRunner(async (runner) => {
      await runner.query('SET statement_timeout = 0');
      await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      try {
        await this.dataSource.runMigrations({ transaction: 'each' });
      } finally {
        await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
        await runner.query('RESET statement_timeout');
      }
    });
  }

  /** Whether every migration this build knows has run. */
  async schemaIsCurrent(): Promise<boolean> {
    const known = this.dataSource.migrations.length;
    const [table] = await this.query<{ present: boolean }>(`SELECT to_regclass('schema_migration') IS NOT NULL AS present`);
    if (!table?.present) return false;
    const [row] = await this.query<{ count: string }>('SELECT count(*) FROM schema_migration');
    return Number(row?.count ?? 0) >= known;
  }

  /**
   * The time by the database's clock, which rows have and all processes share. What is old enough to be removed is decided
   * by it: the clock of a process may be wrong.
   */
  async now(): Promise<Date> {
    const [row] = await this.query<{ now: Date }>('SELECT now() AS now');
    if (row === undefined) throw new Error('the database does not know the time');
    return row.now;
  }

  /** Rejects when the database does not answer. */
  async ping(): Promise<void> {
    await this.query('SELECT 1');
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async #attempt<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Outcome<Result>> {
    let committing = false;
    try {
      const result = await this.#withRunner(async (runner) => {
        await runner.startTransaction();
        try {
          const value = await work(new OpenTransaction(runner));
          committing = true;
          await runner.commitTransaction();
          return value;
        } catch (error) {
          if (!committing) await rollBack(runner);
          throw error;
        }
      });
      return { result };
    } catch (error) {
      const fault = databaseFault(error);
      return { error, repeatable: fault === 'conflict' || (fault === 'unavailable' && !committing) };
    }
  }

  async #withRunner<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    try {
      await this.#open();
      const runner = this.dataSource.createQueryRunner();
      try {
        return await work(runner);
      } finally {
        await runner.release();
      }
    } catch (error) {
      if (databaseFault(error) !== 'unavailable' || error instanceof DatabaseUnavailable) throw error;
      throw new DatabaseUnavailable('the database cannot be reached', { cause: error });
    }
  }

  /** The pool opens on first use, so a service can start (and report itself not ready) before Postgres does. */
  async #open(): Promise<void> {
    if (this.dataSource.isInitialized) return;
    this.#opening ??= this.dataSource.initialize().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }
}

/** A database handle for `options`; connects on first use. */
export function createDatabase(options: DatabaseOptions): Database {
  return new Database(dataSourceFor(options.url, options.poolSize, options.onPoolError ?? (() => undefined)));
}

type Outcome<Result> = { readonly result: Result } | { readonly error: unknown; readonly repeatable: boolean };

class OpenTransaction implements Transaction {
  readonly #runner: QueryRunner;

  constructor(runner: QueryRunner) {
    this.#runner = runner;
  }

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await runStatement(this.#runner, sql, parameters)).rows as Row[];
  }

  async queryAnew<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await runStatement(this.#runner, sql, parameters, PLANNED_ANEW)).rows as Row[];
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    return (await runStatement(this.#runner, sql, parameters)).rowCount ?? 0;
  }
}

/** The transaction is lost either way; the error that led here is the one to report. */
async function rollBack(runner: QueryRunner): Promise<void> {
  try {
    // A runner whose connection broke has been taken out of the pool already, and the server has rolled back.
    if (runner.isTransactionActive && !runner.isReleased) await runner.rollbackTransaction();
  } catch (error) {
    if (databaseFault(error) !== 'unavailable') throw error;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
