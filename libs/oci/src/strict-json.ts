/** How deep objects and arrays may nest. Real manifests stay below ten. */
const MAX_DEPTH = 64;

/** How many keys one object may have. Nobody annotates with thousands. */
const MAX_KEYS = 10_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COLON = 0x3a;

/** Why a text is not acceptable JSON; the message says what is wrong with it, for the client. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError';
}

/**
 * Parses JSON that will be read by other programs too, and therefore must mean the same to all of them: UTF-8 without
 * a byte order mark, no key twice in one object (RFC 8259 section 4 leaves open which one counts), at most 10,000 keys
 * in one object, and no nesting deeper than 64. Linear in the length of the text, without recursion.
 *
 * @throws StrictJsonError
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  refuseDepthAndDoubles(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StrictJsonError('it is not JSON', { cause });
  }
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw new StrictJsonError('it starts with a byte order mark');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new StrictJsonError('it is not UTF-8', { cause });
  }
}

/** The keys seen so far of an object, or `undefined` for an array. */
type Container = Set<string> | undefined;

/** Walks the tokens only as far as needed to tell keys from other strings; JSON.parse judges the grammar afterwards. */
function refuseDepthAndDoubles(text: string): void {
  const containers: Container[] = [];
  let keyExpected = false;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (containers.length === MAX_DEPTH) throw new StrictJsonError(`it nests deeper than ${MAX_DEPTH} levels`);
        keyExpected = text.charCodeAt(index) === OPEN_BRACE;
        containers.push(keyExpected ? new Set() : undefined);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        containers.pop();
        keyExpected = false;
        break;
      case COMMA:
        keyExpected = true;
        break;
      case COLON:
        keyExpected = false;
        break;
      case QUOTE: {
        const end = stringEnd(text, index);
        const keys = containers.at(-1);
        if (keyExpected && keys !== undefined) addKey(keys, text, index, end);
        index = end;
        break;
      }
    }
  }
}

/** The index of the closing quote. */
function stringEnd(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text.charCodeAt(index) !== QUOTE) {
    index += text.charCodeAt(index) === BACKSLASH ? 2 : 1;
  }
  if (index >= text.length) throw new StrictJsonError('it is not JSON: a string does not end');
  return index;
}

function addKey(keys: Set<string>, text: string, start: number, end: number): void {
  const raw = text.slice(start + 1, end);
  const key = raw.includes('\\') ? unescapeKey(text.slice(start, end + 1)) : raw;
  if (keys.has(key)) throw new StrictJsonError(`it has the key ${JSON.stringify(key.slice(0, 64))} twice in one object`);
  if (keys.size === MAX_KEYS) throw new StrictJsonError(`it has more than ${MAX_KEYS} keys in one object`);
  keys.add(key);
}

function unescapeKey(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch (cause) {
    throw new StrictJsonError('it is not JSON: a key has a bad escape', { cause });
  }
}
