import type { Database, Transaction } from './database.js';
import { currentOrigin, originColumn, tell, type Origin } from './origin.js';

/** An event to be committed together with the change it tells of. */
export interface NewEvent {
  /** Its name in @haven/messages. */
  readonly type: string;
  readonly payload: object;
  /** Who caused it, e.g. 'user:3'; empty for the platform itself. */
  readonly actor: string;
  /** Who caused it and from where, when it is told later than it happened; left out, the work that is going on. */
  readonly origin?: Origin;
}

/** A committed event on its way to the queue; `id` is unique for ever, handlers are idempotent by it. */
export interface OutboxEvent extends Omit<NewEvent, 'origin'> {
  readonly id: string;
  readonly createdAt: Date;
  /** Who caused it and from where; empty for the platform itself. */
  readonly origin: Partial<Readonly<Origin>>;
}

interface OutboxRow {
  readonly id: string;
  readonly event_id: string;
  readonly type: string;
  readonly payload: object;
  readonly actor: string;
  readonly created_at: Date;
  readonly origin: Partial<Origin>;
}

const BATCH = 2000;

/** Writes events inside the transaction that makes them true, with the origin of the work that is going on. */
export async function appendEvents(transaction: Transaction, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const origin = currentOrigin();
  const current = originColumn(origin);
  // Deleting a repository of a hundred thousand tags makes as many events: others get their turn in between.
  for (let at = 0; at < events.length; at += BATCH) {
    const batch = events.slice(at, at + BATCH);
    await transaction.execute(
      `INSERT INTO outbox (type, payload, actor, origin)
       SELECT * FROM unnest($1::text[], $2::jsonb[], $3::text[], $4::jsonb[])`,
      [
        batch.map((event) => event.type), batch.map((event) => JSON.stringify(event.payload)), batch.map((event) => event.actor),
        batch.map((event) => (event.origin === undefined ? current : originColumn(event.origin))),
      ],
    );
  }
  tell(origin, events.map((event) => event.type));
}

/** Events that the queue took but nobody has handled by then are handed out again: the queue may have lost its data. */
const HANDED_OUT_AGAIN = '10 minutes';

/** The reading side of the outbox: hands committed events on, at least once and oldest first. */
export class Outbox {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Hands at most `limit` waiting events to `deliver` and stamps them once it resolves. When it rejects, the process dies,
   * or nobody reports them handled for ten minutes, they are handed out again. Several relays may run: rows that another
   * one holds are passed over.
   * Resolves to the number delivered.
   */
  async relay(limit: number, deliver: (events: readonly OutboxEvent[]) => Promise<void>): Promise<number> {
    return this.#database.transaction(async (transaction) => {
      const rows = await transaction.query<OutboxRow>(
        `SELECT id, event_id, type, payload, actor, created_at, origin FROM outbox
         WHERE handled_at IS NULL AND (delivered_at IS NULL OR delivered_at < now() - $2::interval)
         ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`,
        [limit, HANDED_OUT_AGAIN],
      );
      if (rows.length === 0) return 0;
      await deliver(rows.map(eventOf));
      await transaction.execute('UPDATE outbox SET delivered_at = now() WHERE id = ANY($1::bigint[])', [rows.map((row) => row.id)]);
      return rows.length;
    });
  }

  /** Reports that everybody who wanted these events has them; they are never handed out again. */
  async markHandled(ids: readonly string[]): Promise<void> {
    await this.#database.execute('UPDATE outbox SET handled_at = now() WHERE event_id = ANY($1::uuid[]) AND handled_at IS NULL', [ids]);
  }

  /** Age in seconds of the oldest event that still waits for the queue; 0 when none does. */
  async lagSeconds(): Promise<number> {
    const [row] = await this.#database.query<{ lag: number | null }>(
      `SELECT extract(epoch FROM now() - min(created_at))::float8 AS lag FROM outbox WHERE handled_at IS NULL AND delivered_at IS NULL`,
    );
    return row?.lag ?? 0;
  }

  /** Removes at most `limit` events that were written before `before` and delivered since; resolves to how many. */
  async forgetDelivered(before: Date, limit: number): Promise<number> {
    return this.#database.execute(
      `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE created_at < $1 AND delivered_at IS NOT NULL ORDER BY id LIMIT $2)`,
      [before, limit],
    );
  }
}

function eventOf(row: OutboxRow): OutboxEvent {
  return { id: row.event_id, type: row.type, payload: row.payload, actor: row.actor, createdAt: row.created_at, origin: row.origin };
}
