import { AndFilter, EqualityFilter, FilterParser, NotFilter, OrFilter, PresenceFilter, SubstringFilter, type Filter } from 'ldapts';

/** Filters with one value, beside that for equality. */
interface OneValue extends Filter {
  value: string;
}

/**
 * A filter (RFC 4515) as it is sent. ldapts takes every escaped octet for a character of its own, so that neither the bytes
 * of an objectGUID nor an escaped "é" are found: its values are put together from the octets again.
 *
 * @throws Error when it is malformed
 */
export function octetFilter(text: string): Filter {
  const filter = FilterParser.parseString(escapedOctets(text));
  mend(filter);
  return filter;
}

/** Beyond ASCII every octet becomes an escape; afterwards each character of a value stands for one octet. */
function escapedOctets(text: string): string {
  return text.replace(/[^\0-\x7f]+/g, (characters) => Buffer.from(characters).toString('hex').replace(/../g, '\\$&'));
}

function mend(filter: Filter): void {
  if (filter instanceof AndFilter || filter instanceof OrFilter) filter.filters.forEach(mend);
  else if (filter instanceof NotFilter) mend(filter.filter);
  else if (filter instanceof EqualityFilter) filter.value = octets(filter.value as string);
  else if (filter instanceof SubstringFilter) Object.assign(filter, { initial: words(filter.initial), any: filter.any.map(words), final: words(filter.final) });
  else if (!(filter instanceof PresenceFilter)) (filter as OneValue).value = words((filter as OneValue).value);
}

/** Text where the octets are text: ldapts sends both the same way. */
function octets(value: string): string | Buffer {
  const bytes = Buffer.from(value, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

function words(value: string): string {
  const text = octets(value);
  if (typeof text !== 'string') throw new Error('octets that are no UTF-8 can only be compared for equality');
  return text;
}
