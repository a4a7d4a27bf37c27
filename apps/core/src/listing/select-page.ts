import { parseQuery, parseSort, type ListQuery, type Page, type QueryTerm, type SortTerm } from '@haven/api';
import type { Queryable } from '@haven/database';
import type { SqlConditions } from './sql-conditions.js';

/** What a caller wants of a list, as read from the request. */
export interface ListWanted {
  readonly terms: readonly QueryTerm[];
  readonly sort: readonly SortTerm[];
  /** From 1. */
  readonly page: number;
  readonly size: number;
}

/** What a request wants of a list. */
export function wantedIn({ q, sort, page, page_size: size }: ListQuery): ListWanted {
  return { terms: parseQuery(q), sort: parseSort(sort), page, size };
}

export interface PageToSelect {
  /** What SELECT names. */
  readonly fields: string;
  /** What FROM names, with its joins. */
  readonly from: string;
  readonly conditions: SqlConditions;
  /** A total order (see orderBy). */
  readonly order: string;
  /** From 1. */
  readonly page: number;
  readonly size: number;
}

/** The rows of one page, and how many rows there are on all pages. */
export async function selectPage<Row>(database: Queryable, { fields, from, conditions, order, page, size }: PageToSelect): Promise<Page<Row>> {
  const matching = `FROM ${from} WHERE ${conditions.toSql()}`;
  const [count] = await database.queryAnew<{ total: number }>(`SELECT count(*)::int AS total ${matching}`, conditions.parameters);
  const total = count?.total ?? 0;
  const offset = (page - 1) * size;
  if (offset >= total) return { items: [], total };
  const items = await database.queryAnew<Row>(`SELECT ${fields} ${matching} ORDER BY ${order} LIMIT ${size} OFFSET ${offset}`, conditions.parameters);
  return { items, total };
}

/**
 * The ids of one page, and how many rows there are on all pages, found in one go. For conditions that cost more than
 * sorting all that they let through: a deep page then takes no longer than the first one.
 *
 * @param id SQL for a bigint
 */
export async function selectPageIds(database: Queryable, { id, from, conditions, order, page, size }: Omit<PageToSelect, 'fields'> & { readonly id: string }): Promise<Page<string>> {
  const first = (page - 1) * size + 1;
  const [row] = await database.queryAnew<{ total: number; ids: string[] | null }>(
    `SELECT count(*)::int AS total, (array_agg(${id} ORDER BY ${order}))[${first}:${first + size - 1}] AS ids FROM ${from} WHERE ${conditions.toSql()}`,
    conditions.parameters,
  );
  return { items: row?.ids ?? [], total: row?.total ?? 0 };
}

/** The page with each row turned into what it means. */
export function mapPage<Row, Item>({ items, total }: Page<Row>, item: (row: Row) => Item): Page<Item> {
  return { items: items.map(item), total };
}

/** The items under each key, in their order. */
export function groupedBy<Key, Item>(items: readonly Item[], key: (item: Item) => Key): ReadonlyMap<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
