import { describe, expect, test } from '@jest/globals';
import { pageLinks, PageQuery } from './paging.js';

describe('PageQuery', () => {
  test.each([
    [{}, { page: 1, page_size: 10 }],
    [{ page: '3', page_size: '100' }, { page: 3, page_size: 100 }],
    [{ page: '', page_size: '' }, { page: 1, page_size: 10 }],
    [{ page: '0' }, { page: 1, page_size: 10 }],
    [{ page_size: '0' }, { page: 1, page_size: 100 }],
    [{ page_size: '-1' }, { page: 1, page_size: 100 }],
  ])('%j', (given, read) => {
    expect(PageQuery.parse(given)).toEqual(read);
  });

  test.each(['-2', '101', '1e9', 'NaN', '1.5', ' 1', '0x10', '9'.repeat(30)])('refuses page_size %j', (size) => {
    expect(PageQuery.safeParse({ page_size: size }).success).toBe(false);
  });

  test('refuses repeated parameters', () => {
    expect(PageQuery.safeParse({ page: ['1', '2'] }).success).toBe(false);
  });
});

describe('pageLinks', () => {
  const items = ['x'];

  test.each([
    [1, 25, '</list?q=a%3D1&page=2&page_size=10>; rel="next"'],
    [2, 25, '</list?q=a%3D1&page=1&page_size=10>; rel="prev" , </list?q=a%3D1&page=3&page_size=10>; rel="next"'],
    [3, 25, '</list?q=a%3D1&page=2&page_size=10>; rel="prev"'],
    [1, 10, undefined],
  ])('page %i of %i items', (page, total, links) => {
    expect(pageLinks('/list?q=a%3D1', { page, page_size: 10 }, { items, total })).toBe(links);
  });

  test('an empty page links nowhere', () => {
    expect(pageLinks('/list', { page: 9, page_size: 10 }, { items: [], total: 25 })).toBeUndefined();
  });

  test('stays on this server whatever the address looks like', () => {
    expect(pageLinks('//evil.test/list?page=1', { page: 1, page_size: 1 }, { items, total: 2 })).not.toContain('evil');
  });
});
