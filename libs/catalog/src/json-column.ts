/** Nesting kept; deeper values become null. */
const DEPTH = 32;

/**
 * A value as text for a jsonb column. PostgreSQL refuses NUL and lone surrogates, which clients may well send: both
 * become U+FFFD here, while the bytes in storage stay as they came.
 */
export function jsonForColumn(value: unknown): string {
  return JSON.stringify(storable(value, DEPTH)) ?? 'null';
}

/** The same for text columns. */
export function textForColumn(text: string): string {
  return text.replaceAll('\0', '\uFFFD').replace(/\p{Surrogate}/gu, '\uFFFD');
}

function storable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return textForColumn(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((item) => storable(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [textForColumn(key), storable(item, depth - 1)]));
}
