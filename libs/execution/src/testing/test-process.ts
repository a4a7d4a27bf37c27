import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, Database, DatabaseUnavailable, type Transaction } from '@haven/database';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger, Metrics } from '@haven/runtime';
import { Executions } from '../executions.js';
import { TaskSweep } from '../task-sweep.js';
import { TaskWorker, type TaskHandler } from '../task-worker.js';
import { testRedisUrl } from './settings.js';

export interface TestProcessOptions {
  readonly databaseUrl: string;
  /** Of the Redis keys; processes of one prefix work together. */
  readonly prefix: string;
  readonly handler?: TaskHandler;
  readonly heartbeatMs?: number;
  readonly giveUpMs?: number;
  readonly lostAfterMs?: number;
  readonly requeueAfterMs?: number;
}

/** What one process of the platform has of executions, with connections of its own. */
export interface TestProcess {
  readonly database: Database;
  readonly messages: Messages;
  readonly executions: Executions;
  readonly worker: TaskWorker;
  readonly sweep: TaskSweep;
  readonly logger: FakeLogger;
  /** As if the process had been killed: nothing more reaches the database, nothing is put back, no further job is taken. */
  kill(): void;
  close(): Promise<void>;
}

/** Answers until its process is killed. */
class MortalDatabase extends Database {
  killed = false;

  override query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    return this.killed ? dead() : super.query(sql, parameters);
  }

  override execute(sql: string, parameters?: readonly unknown[]): Promise<number> {
    return this.killed ? dead() : super.execute(sql, parameters);
  }

  override transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.killed ? dead() : super.transaction(work);
  }
}

function dead(): Promise<never> {
  return Promise.reject(new DatabaseUnavailable('the process was killed'));
}

export function startProcess(options: TestProcessOptions): TestProcess {
  const { databaseUrl, prefix, handler, heartbeatMs = 200, giveUpMs = 10_000, lostAfterMs = 1000, requeueAfterMs = 500 } = options;
  const logger = new FakeLogger();
  const database = new MortalDatabase(createDatabase({ url: databaseUrl, poolSize: 5 }).dataSource);
  const messages = connectRedis(testRedisUrl(), logger, { prefix });
  const { broadcasts, jobs } = messages;
  const worker = new TaskWorker({ database, broadcasts, logger, metrics: new Metrics(), heartbeatMs, giveUpMs });
  if (handler !== undefined) {
    worker.handle('RETENTION', handler);
    const workers = messages.workers(['run-retention']);
    workers.handle('run-retention', ({ task }) => worker.run(task));
    workers.start();
  }
  return {
    database, messages, worker, logger,
    executions: new Executions({ database, jobs, broadcasts, logger }),
    sweep: new TaskSweep({ database, jobs, logger, lostAfterMs, requeueAfterMs }),
    kill: () => {
      database.killed = true;
      // Takes no more at once; resolves when what is being done ends, which `close` waits for.
      void messages.close();
    },
    close: async () => {
      worker.release();
      await messages.close();
      await database.close();
    },
  };
}

export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 25_000; !(await condition()); await sleep(20)) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen`);
  }
}
