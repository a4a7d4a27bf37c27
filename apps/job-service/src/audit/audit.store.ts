import { parseSubjectId } from '@haven/access';
import { databaseFault, type Database } from '@haven/database';
import type { AuditEntry } from './audit-entry.js';

/** Keeps the audit trail in the database. */
export class AuditStore {
  readonly #database: Pick<Database, 'query' | 'execute'>;

  constructor(database: Pick<Database, 'query' | 'execute'>) {
    this.#database = database;
  }

  /** Adds lines in one statement; resolves to the ids of the events whose lines were not there yet. */
  async add(entries: readonly AuditEntry[]): Promise<ReadonlySet<string>> {
    try {
      return await this.#insert(entries);
    } catch (error) {
      // A partition was made meanwhile; the statement finds it now.
      if (databaseFault(error) === 'conflict') return this.#insert(entries);
      throw error;
    }
  }

  async #insert(entries: readonly AuditEntry[]): Promise<ReadonlySet<string>> {
    const column = <Key extends keyof AuditEntry>(key: Key): AuditEntry[Key][] => entries.map((entry) => entry[key]);
    const rows = await this.#database.query<{ event_id: string }>(
      `INSERT INTO audit_event (event_id, op_time, project_id, subject, username, operation, resource_type, resource, operation_description, operation_result, address, request_id)
       SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::boolean[], $11::text[], $12::text[])
       ON CONFLICT (op_time, event_id) DO NOTHING RETURNING event_id`,
      [
        column('eventId'), column('at'), entries.map((entry) => entry.project ?? null), column('subject'), column('username'), column('operation'), column('resourceType'),
        column('resource'), column('description'), column('result'), column('address'), column('requestId'),
      ],
    );
    return new Set(rows.map((row) => row.event_id));
  }

  /** The names of these subjects, also of those that were deleted since. A robot's name has the prefix that robots have now. */
  async namesOf(subjects: readonly string[], robotPrefix: string): Promise<ReadonlyMap<string, string>> {
    const ids = (kind: 'user' | 'robot'): number[] => subjects.flatMap((text) => {
      const subject = parseSubjectId(text);
      return subject?.kind === kind ? [subject.id] : [];
    });
    const rows = await this.#database.query<{ subject: string; name: string }>(
      `SELECT 'user:' || id AS subject, username AS name FROM haven_user WHERE id = ANY($1::bigint[])
       UNION ALL
       SELECT 'robot:' || r.id, $3 || coalesce(p.name || '+', '') || r.name FROM robot r LEFT JOIN project p ON p.id = r.project_id WHERE r.id = ANY($2::bigint[])`,
      [ids('user'), ids('robot'), robotPrefix],
    );
    return new Map(rows.map((row) => [row.subject, row.name]));
  }
}
