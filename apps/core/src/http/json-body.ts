import { isUtf8 } from 'node:buffer';
import { Problem } from '@haven/api';

/** How JSON spells half of a surrogate pair; the only way in which one can come in UTF-8. */
const SPELLED_SURROGATE = /\\u[dD][89a-fA-F]/;
const HALF = /\p{Surrogate}/u;

/**
 * What is wrong with the text in a JSON body, if anything: the database can keep neither bytes that are no UTF-8 nor half
 * a surrogate pair, and would replace or refuse them.
 *
 * @param text the bytes as UTF-8
 * @param body the text, parsed
 */
export function textFault(bytes: Buffer, text: string, body: unknown): Problem | null {
  if (!isUtf8(bytes)) return new Problem('BAD_REQUEST', 'the body is not UTF-8');
  if (SPELLED_SURROGATE.test(text) && holdsHalf(body)) return new Problem('BAD_REQUEST', 'the body holds half of a surrogate pair: send the whole character');
  return null;
}

/** Without recursion: clients choose how deep a body is. */
function holdsHalf(body: unknown): boolean {
  const left: unknown[] = [body];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string' && HALF.test(value)) return true;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, part] of Object.entries(value)) left.push(key, part);
  }
  return false;
}
