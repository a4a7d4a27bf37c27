import { octetFilter } from './filter-octets.js';

/** A value in a filter, with everything escaped that means something there (RFC 4515, section 3). */
export function escapeValue(value: string): string {
  return value.replace(/[\0()*\\]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** `(attribute=value)` for exactly this value. */
export function equals(attribute: string, value: string): string {
  return `(${attribute}=${escapeValue(value)})`;
}

/** All of these; empty ones count as none. */
export function allOf(...filters: readonly string[]): string {
  const parts = filters.filter((filter) => filter !== '');
  return parts.length < 2 ? (parts[0] ?? '') : `(&${parts.join('')})`;
}

export function anyOf(...filters: readonly string[]): string {
  return filters.length === 1 ? String(filters[0]) : `(|${filters.join('')})`;
}

/** A filter as administrators write it, in parentheses; '' stays ''. */
export function writtenFilter(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || trimmed.startsWith('(') ? trimmed : `(${trimmed})`;
}

const MALFORMED = 'is not an LDAP filter like (objectClass=person)';

/** Why this is no filter; the end of a sentence, undefined when it is one, or empty. */
export function filterFault(text: string): string | undefined {
  const filter = writtenFilter(text);
  if (filter === '') return undefined;
  if (!isOneExpression(filter)) return MALFORMED;
  try {
    octetFilter(filter);
    return undefined;
  } catch {
    return MALFORMED;
  }
}

/** Whether the first parenthesis is closed by the last one; those in values are escaped. The parser of ldapts forgives what is missing. */
function isOneExpression(filter: string): boolean {
  let depth = 0;
  for (let at = 0; at < filter.length; at += 1) {
    if (filter[at] === '(') depth += 1;
    if (filter[at] === ')') depth -= 1;
    if (depth <= 0) return depth === 0 && at === filter.length - 1;
  }
  return false;
}
