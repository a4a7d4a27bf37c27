import type { Database } from '@haven/database';

/** What a refused request, too, leaves behind: its own record, and wrong logins. */
const RECORDS = ['audit_event', 'outbox', 'session', 'login_failure'];
/** When somebody was seen. */
const SEEN = ['last_used_at', 'last_login_at', 'last_seen_at'];

/** A digest of the rows of each table: equal before and after means that nothing has changed. */
export class Fingerprints {
  #sql: string | undefined;

  constructor(private readonly database: Database) {}

  async take(): Promise<Readonly<Record<string, string>>> {
    this.#sql ??= await this.#statement();
    const rows = await this.database.query<{ name: string; digest: string }>(this.#sql, []);
    return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
  }

  async #statement(): Promise<string> {
    const tables = await this.database.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`, [],
    );
    const seen = SEEN.map((column) => `'${column}'`).join(', ');
    return tables.filter(({ name }) => !RECORDS.includes(name))
      .map(({ name }) => `SELECT '${name}' AS name, count(*) || ' ' || coalesce(md5(string_agg(line, '|' ORDER BY line)), '') AS digest FROM (SELECT (to_jsonb(t) - ARRAY[${seen}])::text AS line FROM "${name}" t) AS lines`)
      .join(' UNION ALL ');
  }
}
