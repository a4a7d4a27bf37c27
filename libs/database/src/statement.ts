import { createHash } from 'node:crypto';
import type { ClientBase, QueryResult } from 'pg';
import type { QueryRunner } from 'typeorm';
import { DatabaseUnavailable } from './database-faults.js';

/**
 * Texts that are prepared under a name. Nearly every statement of ours is one of a few hundred constant texts; those that
 * are put together from a query's parts are planned each time (see Queryable.queryAnew), and so is what is beyond the limit.
 */
const MOST_NAMED = 500;
const names = new Map<string, string>();

/**
 * Runs one parameterised statement on the runner's connection. Postgres parses it once for each connection, which halves
 * what a short statement costs; after five times it may also keep to one plan for all values. Behind PgBouncer this needs `max_prepared_statements` (version 1.21).
 */
export async function runStatement(runner: QueryRunner, sql: string, parameters: readonly unknown[], plannedAnew = false): Promise<QueryResult> {
  if (runner.isReleased) throw new DatabaseUnavailable('the database connection was lost');
  const client = (await runner.connect()) as ClientBase;
  const name = plannedAnew ? undefined : nameOf(sql);
  return client.query({ ...(name === undefined ? {} : { name }), text: sql, values: [...parameters] });
}

/**
 * How much a pattern matches is known only with its value: a statement that looks for one is planned anew each time. A plan
 * for any pattern takes it for a rare one, and then sorts most of the table for a page of it.
 */
const PATTERN = /\bI?LIKE\b/;

function nameOf(sql: string): string | undefined {
  const known = names.get(sql);
  if (known !== undefined || names.size >= MOST_NAMED || PATTERN.test(sql)) return known;
  const name = `haven_${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
  names.set(sql, name);
  return name;
}
