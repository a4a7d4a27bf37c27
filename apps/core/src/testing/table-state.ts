import type { Database } from '@haven/database';

/** Everything in these tables, but when somebody logged in, as one text: equal before and after when nothing changed. */
export async function tableState(database: Database, ...tables: readonly string[]): Promise<string> {
  const states = await Promise.all(tables.map(async (table) => {
    const [row] = await database.query<{ state: string | null }>(`SELECT string_agg(line, E'\\n' ORDER BY line) AS state FROM (SELECT (to_jsonb(t) - 'last_login_at')::text AS line FROM ${table} t) AS lines`);
    return `${table}: ${row?.state ?? ''}`;
  }));
  return states.join('\n');
}

/** Throws, with the first line that differs, unless the tables are as they were. */
export async function requireUnchanged(before: string, database: Database, ...tables: readonly string[]): Promise<void> {
  const after = await tableState(database, ...tables);
  if (after === before) return;
  const lines = new Set(before.split('\n'));
  throw new Error(`something changed: ${after.split('\n').find((line) => !lines.has(line)) ?? 'a line is gone'}`);
}
