import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

/** One counter. */
export interface Failures {
  readonly failures: number;
  /** Seconds since the last one. */
  readonly age: number;
}

interface Row extends Failures {
  readonly key: Buffer;
}

const KEEP = '15 minutes';
/** More than any attack needs: it keeps a counter within its column. */
const MOST = 1_000_000;

/** Counts wrong passwords where every replica sees them. */
@Injectable()
export class LoginFailureStore {
  constructor(private readonly database: Database) {}

  /** The counters that are not a quarter of an hour old, by key in hexadecimal. */
  async read(keys: readonly Buffer[]): Promise<Map<string, Failures>> {
    const rows = await this.database.query<Row>(
      `SELECT key, failures, ${AGE} AS age FROM login_failure WHERE key = ANY($1::bytea[]) AND failed_at > now() - $2::interval`,
      [keys, KEEP],
    );
    return byKey(rows);
  }

  /** Adds one to each counter; old ones begin anew. Keys are taken in order, so that two of these never wait for each other. */
  async add(keys: readonly Buffer[]): Promise<Map<string, Failures>> {
    const rows = await this.database.query<Row>(
      `INSERT INTO login_failure AS known (key, failures, failed_at)
       SELECT key, 1, clock_timestamp() FROM unnest($1::bytea[]) AS key ORDER BY key
       ON CONFLICT (key) DO UPDATE SET failed_at = clock_timestamp(),
         failures = CASE WHEN known.failed_at > now() - $2::interval THEN least(known.failures + 1, $3) ELSE 1 END
       RETURNING key, failures, ${AGE} AS age`,
      [keys, KEEP, MOST],
    );
    return byKey(rows);
  }

  async remove(key: Buffer): Promise<void> {
    await this.database.execute('DELETE FROM login_failure WHERE key = $1', [key]);
  }

  /** Removes counters that count no longer, at most `limit`. */
  async removeOld(limit: number): Promise<void> {
    await this.database.execute(
      `DELETE FROM login_failure WHERE key IN (
         SELECT key FROM login_failure WHERE failed_at <= now() - $1::interval ORDER BY failed_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [KEEP, limit],
    );
  }
}

const AGE = 'greatest(0, extract(epoch FROM clock_timestamp() - failed_at))::float8';

function byKey(rows: readonly Row[]): Map<string, Failures> {
  return new Map(rows.map(({ key, failures, age }) => [key.toString('hex'), { failures, age }]));
}
