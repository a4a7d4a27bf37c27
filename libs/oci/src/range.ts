/** A stretch of bytes, both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Longer than any honest range header: two numbers of sixteen digits and the unit. */
const MAX_RANGE_HEADER = 64;

/** Up to sixteen digits: enough for 2^53, few enough to stay exact or be recognised as too large. */
const RANGE = /^bytes=[ \t]*(\d{0,16})-(\d{0,16})[ \t]*$/i;
const CONTENT_RANGE = /^(?:bytes[ \t]+)?(\d{1,16})-(\d{1,16})(?:\/(?:\d{1,16}|\*))?$/i;

/**
 * Reads a Range header of a download (RFC 9110 section 14.2) against content of `size` bytes.
 *
 * `undefined` means: serve everything, because there is no range, it is malformed, or it asks for several ranges, all
 * of which a server may ignore. `'unsatisfiable'` means: answer 416 with `Content-Range: bytes *\/size`. That goes for a
 * range that ends before it starts, too: the OCI conformance program expects it, and the RFC leaves it to the server.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  if (header === undefined || header.length > MAX_RANGE_HEADER) return undefined;
  const match = RANGE.exec(header);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? Infinity : Number(last);
  return end < start || start >= size ? 'unsatisfiable' : { start, end: Math.min(end, size - 1) };
}

/**
 * Reads the Content-Range header of an uploaded chunk: `<start>-<end>` as the OCI Distribution Spec has it ("Pushing a
 * blob in chunks"), or `bytes <start>-<end>/<size>` as RFC 9110 has it. `undefined` when it is neither.
 */
export function parseContentRange(header: string): ByteRange | undefined {
  if (header.length > MAX_RANGE_HEADER) return undefined;
  const match = CONTENT_RANGE.exec(header);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2]);
  return start <= end && Number.isSafeInteger(end) ? { start, end } : undefined;
}

function suffix(length: number, size: number): ByteRange | 'unsatisfiable' {
  if (length === 0 || size === 0) return 'unsatisfiable';
  return { start: Math.max(0, size - length), end: size - 1 };
}
