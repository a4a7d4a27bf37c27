import { z } from 'zod';
import { text } from './fields.js';

export const MAX_PAGE_SIZE = 100;
const MAX_PAGE = 10_000_000;

/** A parameter without a value is one that was left out: clients send `page=` for that. */
function wholeNumber(least: number, most: number, standard: number) {
  return z.string().regex(/^(?:-?\d{1,18})?$/, 'must be a whole number').transform((value) => (value === '' ? standard : Number(value)))
    .pipe(z.number().int().min(least).max(most)).optional().transform((value) => value ?? standard);
}

/**
 * The two parameters of every list. There is no way to get everything at once: 0 and -1, by which clients of Harbor ask
 * for it, mean the longest page; the Link header leads to the rest. Page 0, which some of them send first, is page 1.
 */
export const pageParameters = {
  page: wholeNumber(0, MAX_PAGE, 1).transform((page) => Math.max(page, 1)),
  page_size: wholeNumber(-1, MAX_PAGE_SIZE, 10).transform((size) => (size < 1 ? MAX_PAGE_SIZE : size)),
};

/** Paging together with the `q` and `sort` expressions (see parseQuery, parseSort). */
export const listParameters = {
  ...pageParameters,
  q: text(2048).optional(),
  sort: text(256).optional(),
};

export const PageQuery = z.object(pageParameters).meta({ id: 'PageQuery' });
export type PageQuery = z.infer<typeof PageQuery>;

export const ListQuery = z.object(listParameters).meta({ id: 'ListQuery' });
export type ListQuery = z.infer<typeof ListQuery>;

/** One page of a list, with the number of items on all pages. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

/**
 * The value of the Link header: previous and next page as relative addresses with the caller's own query,
 * separated by " , " as the Harbor API does; undefined when there is nothing to link.
 *
 * @param target path and query of the request, e.g. "/api/v2.0/projects?name=a"
 */
export function pageLinks(target: string, { page, page_size: size }: PageQuery, { items, total }: Page<unknown>): string | undefined {
  if (items.length === 0) return undefined;
  const links: string[] = [];
  if (page > 1) links.push(`<${withPage(target, page - 1, size)}>; rel="prev"`);
  if (page * size < total) links.push(`<${withPage(target, page + 1, size)}>; rel="next"`);
  return links.length === 0 ? undefined : links.join(' , ');
}

function withPage(target: string, page: number, size: number): string {
  const url = new URL(target, 'http://relative.invalid');
  url.searchParams.set('page', String(page));
  url.searchParams.set('page_size', String(size));
  return `${url.pathname}?${url.searchParams.toString()}`;
}
