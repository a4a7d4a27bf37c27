import { Problem } from './problems.js';

/** A value inside a range or list: a time, a whole number, or text. */
export type QueryValue = string | number | Date;

/** What a term asks of its key; the forms of the Harbor API's `q` parameter. */
export type QueryMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'fuzzy'; readonly value: string }
  | { readonly kind: 'range'; readonly from?: QueryValue; readonly to?: QueryValue }
  | { readonly kind: 'any'; readonly values: readonly QueryValue[] }
  | { readonly kind: 'all'; readonly values: readonly QueryValue[] };

export interface QueryTerm {
  readonly key: string;
  readonly match: QueryMatch;
}

export interface SortTerm {
  readonly key: string;
  readonly descending: boolean;
}

const MAX_TERMS = 20;
const MAX_VALUES = 100;

/**
 * Reads `q`: terms `k=v`, `k=~v` (contains), `k=[a~b]` (range), `k={a b}` (any of) and `k=(a b)` (all of), joined by
 * commas. The text is percent-decoded once more than the query it came in. A leading backslash takes the special
 * meaning from the first character of an exact value.
 *
 * @throws Problem BAD_REQUEST
 */
export function parseQuery(text: string | undefined): QueryTerm[] {
  if (text === undefined || text === '') return [];
  const terms = decoded(text).split(',');
  if (terms.length > MAX_TERMS) throw new Problem('BAD_REQUEST', `q may hold at most ${MAX_TERMS} terms`);
  return terms.map(parseTerm);
}

/** Reads `sort`: keys joined by commas, a minus before those in descending order. */
export function parseSort(text: string | undefined): SortTerm[] {
  if (text === undefined || text === '') return [];
  return text.split(',').slice(0, MAX_TERMS).map((part) => part.trim()).filter((part) => part !== '' && part !== '-')
    .map((part) => (part.startsWith('-') ? { key: part.slice(1), descending: true } : { key: part, descending: false }));
}

function decoded(text: string): string {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', '%20'));
    if (!plain.includes('\0')) return plain;
  } catch {
    // A stray percent sign: the one sentence below says so.
  }
  throw new Problem('BAD_REQUEST', 'q is not correctly percent-encoded');
}

function parseTerm(term: string): QueryTerm {
  const equals = term.indexOf('=');
  const key = equals < 0 ? '' : term.slice(0, equals).trim();
  const value = term.slice(equals + 1).trim();
  if (key === '' || value === '') throw new Problem('BAD_REQUEST', `q: "${term.slice(0, 64)}" is not of the form key=value`);
  return { key, match: parseMatch(value, term) };
}

function parseMatch(value: string, term: string): QueryMatch {
  switch (value[0]) {
    case '\\': return { kind: 'exact', value: value.slice(1) };
    case '~': return { kind: 'fuzzy', value: value.slice(1) };
    case '[': return parseRange(enclosed(value, ']', term), term);
    case '{': return { kind: 'any', values: parseValues(enclosed(value, '}', term), term) };
    case '(': return { kind: 'all', values: parseValues(enclosed(value, ')', term), term) };
    default: return { kind: 'exact', value };
  }
}

function enclosed(value: string, end: string, term: string): string {
  if (value.length < 2 || !value.endsWith(end)) throw new Problem('BAD_REQUEST', `q: "${term.slice(0, 64)}" lacks its closing ${end}`);
  return value.slice(1, -1);
}

function parseRange(inner: string, term: string): QueryMatch {
  const ends = inner.split('~');
  if (ends.length !== 2) throw new Problem('BAD_REQUEST', `q: "${term.slice(0, 64)}" is not a range like [a~b]`);
  const [from = '', to = ''] = ends.map((end) => end.trim());
  if (from === '' && to === '') throw new Problem('BAD_REQUEST', `q: the range "${term.slice(0, 64)}" has no end`);
  return { kind: 'range', ...(from === '' ? {} : { from: parseValue(from) }), ...(to === '' ? {} : { to: parseValue(to) }) };
}

function parseValues(inner: string, term: string): QueryValue[] {
  const values = inner.split(' ').filter((part) => part !== '');
  if (values.length === 0 || values.length > MAX_VALUES) throw new Problem('BAD_REQUEST', `q: "${term.slice(0, 64)}" needs 1 to ${MAX_VALUES} values`);
  return values.map(parseValue);
}

function parseValue(text: string): QueryValue {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) {
    const time = new Date(`${text}Z`);
    if (!Number.isNaN(time.getTime())) return time;
  }
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  return text.replace(/^["']|["']$/g, '');
}
