import type { Database } from '../database.js';

/**
 * Makes every look into one table or view of a test's database fail, as a fault of the server does, while everything else
 * goes on. Resolves to what takes the fault away again.
 *
 * @param sqlState what the server says (PostgreSQL manual, appendix A); 57014 is a statement that took too long
 */
export async function breakLookups(database: Database, table: string, sqlState = '57014'): Promise<() => Promise<void>> {
  if (!/^[a-z_]+$/.test(table) || !/^[0-9A-Z]{5}$/.test(sqlState)) throw new RangeError('a table and an SQLSTATE, please');
  await database.transaction(async (transaction) => {
    await transaction.execute(`ALTER TABLE ${table} RENAME TO kept_${table}`);
    await transaction.execute(
      `CREATE FUNCTION broken_${table}() RETURNS SETOF kept_${table} LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a planted fault' USING ERRCODE = '${sqlState}'; END $$`);
    await transaction.execute(`CREATE VIEW ${table} AS SELECT * FROM broken_${table}()`);
  });
  return () => database.transaction(async (transaction) => {
    await transaction.execute(`DROP VIEW ${table}`);
    await transaction.execute(`DROP FUNCTION broken_${table}()`);
    await transaction.execute(`ALTER TABLE kept_${table} RENAME TO ${table}`);
  });
}
