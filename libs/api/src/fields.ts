import { z } from 'zod';

/** The time the Harbor API shows for something that never happened. */
export const NEVER = '0001-01-01T00:00:00.000Z';

/** An identifier in a path or query. */
export const Id = z.string().regex(/^[1-9]\d{0,9}$/, 'must be a positive whole number').transform(Number).pipe(z.number().int().min(1).max(2_147_483_647));

/** An identifier of what there may be more of than 2147483647: events, executions, tasks. */
export const LongId = z.string().regex(/^[1-9]\d{0,15}$/, 'must be a positive whole number').transform(Number).pipe(z.number().int().min(1).max(Number.MAX_SAFE_INTEGER));

/** A boolean in a query or header, in the spellings that clients use. */
export const Flag = z.stringbool({ truthy: ['true', '1', 't'], falsy: ['false', '0', 'f'] });

/** Free text as it is stored: bounded, and without NUL, which the database cannot hold. */
export function text(most: number) {
  return z.string().max(most).refine((value) => !value.includes('\0'), 'must not contain NUL characters');
}

export const Timestamp = z.iso.datetime();
