/** One attribute of a name: its type, in lower case, and its value with all escapes undone. */
export interface Attribute {
  readonly type: string;
  readonly value: string;
  /** The value is the hexadecimal of an encoding that is not read. */
  readonly encoded?: true;
}

/** Attributes that stand beside each other, joined by "+". */
export type RelativeName = readonly Attribute[];

const TYPE = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)$/;
/** RFC 4514, section 3: what ends or cannot stand in a value unless it is escaped. */
const SEPARATORS = ',+';
const NEEDS_ESCAPE = '"+,;<>\0';
const ENCODED = /^#(?:[0-9A-Fa-f]{2})+$/;
const ESCAPABLE = /^[ "#+,;<=>\\]$/;
/** Names and numbers of the same attributes (RFC 4514, section 3). */
const NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'cn', '2.5.4.6': 'c', '2.5.4.7': 'l', '2.5.4.8': 'st', '2.5.4.9': 'street', '2.5.4.10': 'o', '2.5.4.11': 'ou',
  '0.9.2342.19200300.100.1.1': 'uid', '0.9.2342.19200300.100.1.25': 'dc',
};

/**
 * Reads a distinguished name (RFC 4514); spaces around separators are allowed, as people write them. Undefined when it
 * is malformed or empty. Linear in its length.
 */
export function parseDn(text: string): readonly RelativeName[] | undefined {
  const names: Attribute[][] = [];
  let current: Attribute[] = [];
  for (let start = 0; start <= text.length;) {
    const end = endOfAttribute(text, start);
    const attribute = parseAttribute(text.slice(start, end));
    if (attribute === undefined) return undefined;
    current.push(attribute);
    if (text[end] !== '+') {
      names.push(current);
      current = [];
    }
    start = end + 1;
  }
  return names;
}

/** The one text that all spellings of a name share: compare and look up by it. Values are compared without regard to case and spacing. */
export function dnKey(names: readonly RelativeName[]): string {
  const attribute = ({ type, value, encoded }: Attribute): string => `${type}=${encoded ? '#' : ''}${encodeURIComponent(value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' '))}`;
  return names.map((name) => name.map(attribute).sort().join('+')).join(',');
}

/** Keys that are kept, and the length of names beyond which they are not. */
const MOST_KEPT = 10_000;
const LONGEST_KEPT = 512;
const kept = new Map<string, string | undefined>();

/**
 * The key (see dnKey) of a name as it is written; undefined when that is malformed. Reading names is half the work of a
 * login with thousands of groups, and people of one directory are in the same ones: keys of names that came lately are kept.
 */
export function keyOfDn(text: string): string | undefined {
  if (kept.has(text)) return kept.get(text);
  const names = parseDn(text);
  const key = names && dnKey(names);
  if (text.length > LONGEST_KEPT) return key;
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(text, key);
  return key;
}

function endOfAttribute(text: string, start: number): number {
  let at = start;
  while (at < text.length && !SEPARATORS.includes(text.charAt(at))) at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

function parseAttribute(text: string): Attribute | undefined {
  const equals = text.indexOf('=');
  const type = text.slice(0, Math.max(0, equals)).trim().toLowerCase();
  if (!TYPE.test(type)) return undefined;
  const written = withoutOuterSpaces(text.slice(equals + 1));
  const name = { type: NAMES[type] ?? type };
  if (written.startsWith('#')) return ENCODED.test(written) ? { ...name, value: written.slice(1).toLowerCase(), encoded: true } : undefined;
  const value = parseValue(written);
  return value === undefined || value === '' ? undefined : { ...name, value };
}

/** A space at the end stays when a backslash is before it. */
function withoutOuterSpaces(text: string): string {
  const trimmed = text.trim();
  const escaped = /(?:^|[^\\])(?:\\\\)*\\$/.test(trimmed) && text.trimStart().length > trimmed.length;
  return escaped ? `${trimmed} ` : trimmed;
}

function parseValue(text: string): string | undefined {
  const bytes: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    const part = text[at] === '\\' ? escaped(text, at) : plain(text, at);
    if (part === undefined) return undefined;
    bytes.push(part.bytes);
    at += part.length;
  }
  return utf8(Buffer.concat(bytes));
}

interface Part {
  readonly bytes: Buffer;
  readonly length: number;
}

function escaped(text: string, at: number): Part | undefined {
  const hex = /^[0-9A-Fa-f]{2}$/.exec(text.slice(at + 1, at + 3))?.[0];
  if (hex !== undefined) return { bytes: Buffer.from(hex, 'hex'), length: 3 };
  const character = text.charAt(at + 1);
  return ESCAPABLE.test(character) ? { bytes: Buffer.from(character), length: 2 } : undefined;
}

function plain(text: string, at: number): Part | undefined {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return NEEDS_ESCAPE.includes(character) ? undefined : { bytes: Buffer.from(character), length: character.length };
}

function utf8(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined; // escaped bytes that are no UTF-8: no directory has such a name
  }
}
