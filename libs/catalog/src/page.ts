import type { Queryable } from '@haven/database';

/** Which part of a list is wanted. */
export interface PageWanted {
  /** From 1. */
  readonly page: number;
  readonly size: number;
}

/** One page of a list with the number of rows on all of them; `from` is what follows FROM, up to the order. */
export async function selectPage<Row>(
  database: Queryable, { fields, from, order, parameters }: { readonly fields: string; readonly from: string; readonly order: string; readonly parameters: readonly unknown[] }, { page, size }: PageWanted,
): Promise<{ readonly rows: Row[]; readonly total: number }> {
  const next = parameters.length + 1;
  const [rows, counts] = await Promise.all([
    database.query<Row>(`SELECT ${fields} FROM ${from} ORDER BY ${order} LIMIT $${next} OFFSET $${next + 1}`, [...parameters, size, (page - 1) * size]),
    database.query<{ total: string }>(`SELECT count(*) AS total FROM ${from}`, parameters),
  ]);
  return { rows, total: Number(counts[0]?.total ?? 0) };
}
