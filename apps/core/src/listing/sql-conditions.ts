import { Problem, type QueryMatch, type QueryTerm, type QueryValue, type SortTerm } from '@haven/api';

/** A column that clients may filter and sort by. `sql` is written by us, never by a client. */
export interface QueryColumn {
  readonly sql: string;
  readonly type: 'text' | 'number' | 'time' | 'boolean';
  /** It holds nothing but ASCII and no index finds parts of it: searching it then costs half (see SqlConditions.asciiContains). */
  readonly ascii?: true;
}

export type QueryColumns = ReadonlyMap<string, QueryColumn>;

/** The WHERE clause of a list with its parameters; every value travels as a parameter. */
export class SqlConditions {
  readonly parameters: unknown[] = [];
  readonly #clauses: string[] = [];

  /** Adds a parameter and answers its placeholder. */
  value(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  add(clause: string): void {
    this.#clauses.push(`(${clause})`);
  }

  /** `column` holds the text anywhere, whatever its case. */
  contains(column: string, text: string): void {
    this.add(`${column} ILIKE ${this.value(`%${escaped(text)}%`)}`);
  }

  /** The clause for "`column` holds the text anywhere, whatever its case", when it holds nothing but ASCII: every row is read, at half of what ILIKE costs. */
  asciiContains(column: string, text: string): string {
    return `lower(${column}) LIKE ${this.value(`%${escaped(text.toLowerCase())}%`)}`;
  }

  /** `column` begins with the text, whatever its case. */
  startsWith(column: string, text: string): void {
    this.add(`${column} ILIKE ${this.value(`${escaped(text)}%`)}`);
  }

  /** Applies the terms whose key names one of the columns; the Harbor API ignores the others. */
  query(terms: readonly QueryTerm[], columns: QueryColumns): void {
    for (const { key, match } of terms) {
      const column = columns.get(key);
      if (column !== undefined) this.#match(key, column, match);
    }
  }

  toSql(): string {
    return this.#clauses.length === 0 ? 'true' : this.#clauses.join(' AND ');
  }

  #match(key: string, column: QueryColumn, match: QueryMatch): void {
    switch (match.kind) {
      case 'exact': return this.add(`${column.sql} = ${this.value(typed(key, column, match.value))}`);
      case 'fuzzy': return column.ascii ? this.add(this.asciiContains(column.sql, match.value)) : this.contains(`${column.sql}::text`, match.value);
      case 'any': return this.add(`${column.sql} = ANY(${this.value(match.values.map((value) => typed(key, column, value)))})`);
      case 'range':
        if (match.from !== undefined) this.add(`${column.sql} >= ${this.value(typed(key, column, match.from))}`);
        if (match.to !== undefined) this.add(`${column.sql} <= ${this.value(typed(key, column, match.to))}`);
        return;
      case 'all': throw new Problem('BAD_REQUEST', `q: ${key} has a single value; use {…} instead of (…)`);
    }
  }
}

/** The text as LIKE takes it literally. */
function escaped(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** The ORDER BY list; keys that name no column are ignored. `last` makes the order total, so that pages do not overlap. */
export function orderBy(sort: readonly SortTerm[], columns: QueryColumns, standard: string, last: string): string {
  const wanted = sort.flatMap(({ key, descending }) => {
    const column = columns.get(key);
    return column === undefined ? [] : [`${column.sql} ${descending ? 'DESC' : 'ASC'}`];
  });
  return [...(wanted.length === 0 ? [standard] : wanted), last].join(', ');
}

function typed(key: string, { type }: QueryColumn, value: QueryValue): QueryValue | boolean {
  const text = value instanceof Date ? value.toISOString() : String(value);
  if (type === 'text') return value instanceof Date ? text : String(value);
  if (type === 'number' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(?:true|false|1|0)$/.test(text)) return text === 'true' || text === '1';
  const time = type === 'time' ? new Date(value instanceof Date ? value : zoned(text)) : undefined;
  if (time !== undefined && !Number.isNaN(time.getTime())) return time;
  throw new Problem('BAD_REQUEST', `q: "${text.slice(0, 64)}" is not a ${type} as ${key} needs it`);
}

/** A time without a zone is UTC. */
function zoned(text: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text) ? `${text}Z` : text;
}
