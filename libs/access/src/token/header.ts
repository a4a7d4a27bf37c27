import { TOKEN_ALGORITHM } from './signing-key.js';
import { TokenError } from './token-error.js';

/** A SHA-256 thumbprint in base64url. */
const KEY_ID = /^[A-Za-z0-9_-]{43}$/;

/** A header of ours has about 90 characters. */
const MAX_HEADER_LENGTH = 256;

/** The only fields of our tokens' headers. Others (`crit`, `jwk`, `jku`, `x5c`, `zip`, `enc`…) ask a verifier to do things. */
const FIELDS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);

/**
 * Reads the key id from a token's header, before any cryptography. The token must be a compact JWS (three parts, so no
 * encrypted JWE), signed with ES256 by the name of a key that can exist.
 *
 * @throws TokenError
 */
export function readKeyId(token: string): string {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 1 || second < 0 || token.includes('.', second + 1)) throw new TokenError('not a signed token');
  if (first > MAX_HEADER_LENGTH) throw new TokenError('an overlong header');
  const header = parseHeader(token.slice(0, first));
  if (Object.keys(header).some((field) => !FIELDS.has(field))) throw new TokenError('an unexpected header field');
  if (header['alg'] !== TOKEN_ALGORITHM) throw new TokenError('another algorithm');
  if (header['typ'] !== undefined && header['typ'] !== 'JWT') throw new TokenError('another type');
  const kid = header['kid'];
  if (typeof kid !== 'string' || !KEY_ID.test(kid)) throw new TokenError('a malformed key id');
  return kid;
}

function parseHeader(encoded: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header as Record<string, unknown>;
  } catch (cause) {
    throw new TokenError('a malformed header', { cause });
  }
  throw new TokenError('a malformed header');
}
