import type { Database, Queryable, Transaction } from './database.js';

/** A lost "settings-changed" broadcast is made good within this time. */
const MAX_AGE_MS = 5_000;

interface Reading<Settings> {
  readonly value: Promise<Settings>;
  forgotten: boolean;
}

/**
 * The settings that administrators change while the installation runs, kept in memory for at most five seconds. Call
 * `forget` on the broadcast "settings-changed", so that a change takes effect at once.
 */
export class SettingsTable<Settings> {
  readonly #database: Pick<Queryable, 'query' | 'execute'>;
  readonly #settingsOf: (stored: ReadonlyMap<string, unknown>) => Settings;
  readonly #maxAgeMs: number;
  #known: { readonly value: Settings; readonly until: number } | undefined;
  #reading: Reading<Settings> | undefined;

  /** @param settingsOf what the stored values, by key, mean; it throws for values that mean nothing */
  constructor(database: Pick<Database, 'query' | 'execute'>, settingsOf: (stored: ReadonlyMap<string, unknown>) => Settings, { maxAgeMs = MAX_AGE_MS } = {}) {
    this.#database = database;
    this.#settingsOf = settingsOf;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The settings now. Rejects when they can neither be read nor were read lately: there is no guess to fall back on. */
  current(): Promise<Settings> {
    const known = this.#known;
    if (known !== undefined && known.until > performance.now()) return Promise.resolve(known.value);
    this.#reading ??= this.#start();
    return this.#reading.value;
  }

  /** What is in memory is old: the next question is answered from the database. */
  forget(): void {
    this.#known = undefined;
    if (this.#reading === undefined) return;
    this.#reading.forgotten = true;
    this.#reading = undefined;
  }

  #start(): Reading<Settings> {
    const reading: Reading<Settings> = { value: this.#read(() => reading), forgotten: false };
    return reading;
  }

  async #read(own: () => Reading<Settings>): Promise<Settings> {
    // Asked for before the question is sent, so that the age counts from the earliest moment the answer can be of.
    const until = performance.now() + this.#maxAgeMs;
    try {
      const value = this.#settingsOf(await readSettings(this.#database));
      if (!own().forgotten) this.#known = { value, until };
      return value;
    } finally {
      if (this.#reading === own()) this.#reading = undefined;
    }
  }
}

/** Every stored setting by its key. */
export async function readSettings(database: Pick<Queryable, 'query'>): Promise<ReadonlyMap<string, unknown>> {
  const rows = await database.query<{ key: string; value: unknown }>('SELECT key, value FROM setting');
  return new Map(rows.map((row) => [row.key, row.value]));
}

/** Held while settings are changed, so that rules about several of them hold. An arbitrary constant. */
const SETTINGS_LOCK = 4_273_020;

/** Waits until nobody else changes settings, until the transaction ends. */
export async function lockSettings(transaction: Transaction): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [SETTINGS_LOCK]);
}

/** Stores these settings; undefined takes one back to its initial value. */
export async function writeSettings(transaction: Transaction, values: Readonly<Record<string, unknown>>): Promise<void> {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined);
  const removed = Object.keys(values).filter((key) => values[key] === undefined);
  await transaction.execute(
    `INSERT INTO setting (key, value) SELECT * FROM unnest($1::text[], $2::jsonb[])
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now()`,
    [kept.map(([key]) => key), kept.map(([, value]) => JSON.stringify(value))],
  );
  await transaction.execute('DELETE FROM setting WHERE key = ANY($1::text[])', [removed]);
}
