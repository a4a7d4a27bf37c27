import { describe, expect, test } from '@jest/globals';
import { parseQuery, parseSort } from '@haven/api';
import { orderBy, SqlConditions, type QueryColumns } from './sql-conditions.js';

const COLUMNS: QueryColumns = new Map([
  ['name', { sql: 't.name', type: 'text' }],
  ['tag', { sql: 't.tag', type: 'text', ascii: true }],
  ['size', { sql: 't.size', type: 'number' }],
  ['at', { sql: 't.at', type: 'time' }],
  ['on', { sql: 't.on', type: 'boolean' }],
]);

function sqlOf(q: string): { readonly sql: string; readonly parameters: unknown[] } {
  const conditions = new SqlConditions();
  conditions.query(parseQuery(encodeURIComponent(q)), COLUMNS);
  return { sql: conditions.toSql(), parameters: conditions.parameters };
}

describe('conditions', () => {
  test.each([
    ['name=x', '(t.name = $1)', ['x']],
    ['name=5', '(t.name = $1)', ['5']],
    ['name=~50%_\\', '(t.name::text ILIKE $1)', ['%50\\%\\_\\\\%']],
    ['tag=~V1_RC', '(lower(t.tag) LIKE $1)', ['%v1\\_rc%']],
    ['size=7', '(t.size = $1)', [7]],
    ['size=[1~9]', '(t.size >= $1) AND (t.size <= $2)', [1, 9]],
    ['size=[~9]', '(t.size <= $1)', [9]],
    ['name={a b}', '(t.name = ANY($1))', [['a', 'b']]],
    ['on=true', '(t.on = $1)', [true]],
    ['at=[2026-01-02T03:04:05~]', '(t.at >= $1)', [new Date('2026-01-02T03:04:05Z')]],
    ["name=x' OR 1=1", '(t.name = $1)', ["x' OR 1=1"]],
    ['other=1', 'true', []],
    ['name=a,size=1', '(t.name = $1) AND (t.size = $2)', ['a', 1]],
  ])('%s', (q, sql, parameters) => {
    expect(sqlOf(q)).toEqual({ sql, parameters });
  });

  test.each(['size=x', 'size=1.5', 'at=soon', 'on=maybe', 'name=(a b)'])('%s is refused', (q) => {
    expect(() => sqlOf(q)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

describe('orderBy', () => {
  test.each([
    [undefined, 't.at DESC, t.id'],
    ['name,-size', 't.name ASC, t.size DESC, t.id'],
    ['nothing', 't.at DESC, t.id'],
    ['name;DROP TABLE x', 't.at DESC, t.id'],
    ['-', 't.at DESC, t.id'],
  ])('%s', (sort, sql) => {
    expect(orderBy(parseSort(sort), COLUMNS, 't.at DESC', 't.id')).toBe(sql);
  });
});
