import { describe, expect, test } from '@jest/globals';
import { parseQuery, parseSort } from './query.js';

describe('parseQuery', () => {
  test.each([
    ['k=v', { key: 'k', match: { kind: 'exact', value: 'v' } }],
    ['k="v"', { key: 'k', match: { kind: 'exact', value: '"v"' } }],
    ['k=a=b', { key: 'k', match: { kind: 'exact', value: 'a=b' } }],
    ['k=\\~v', { key: 'k', match: { kind: 'exact', value: '~v' } }],
    ['k=~v', { key: 'k', match: { kind: 'fuzzy', value: 'v' } }],
    ['k=[1~2]', { key: 'k', match: { kind: 'range', from: 1, to: 2 } }],
    ['k=[~x]', { key: 'k', match: { kind: 'range', to: 'x' } }],
    ['k=[2026-01-02T03:04:05~]', { key: 'k', match: { kind: 'range', from: new Date('2026-01-02T03:04:05Z') } }],
    ['k={a 1 "b"}', { key: 'k', match: { kind: 'any', values: ['a', 1, 'b'] } }],
    ['k=(a b)', { key: 'k', match: { kind: 'all', values: ['a', 'b'] } }],
  ])('%s', (text, term) => {
    expect(parseQuery(encodeURIComponent(text))).toEqual([term]);
  });

  test('decodes once more than the query was, and joins terms with commas', () => {
    expect(parseQuery('a%3D1,b=2')).toEqual([{ key: 'a', match: { kind: 'exact', value: '1' } }, { key: 'b', match: { kind: 'exact', value: '2' } }]);
    expect(parseQuery(undefined)).toEqual([]);
    expect(parseQuery('')).toEqual([]);
  });

  test.each(['k', 'k=', '=v', 'k=v,', 'k=[1', 'k=[1~2~3]', 'k=[~]', 'k={', 'k={}', 'k=( )', '%', '%00=1', `k={${'a '.repeat(101)}}`, Array(21).fill('k=v').join(',')])('%j is refused', (text) => {
    expect(() => parseQuery(text)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

test('parseSort', () => {
  expect(parseSort('a,-b, c,,-')).toEqual([{ key: 'a', descending: false }, { key: 'b', descending: true }, { key: 'c', descending: false }]);
  expect(parseSort(undefined)).toEqual([]);
  expect(parseSort('a,'.repeat(1000))).toHaveLength(20);
});
