/** A user name and a password as a client sent them. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Characters of a user name at most; longer ones belong to nobody. */
export const MAX_USERNAME = 255;
/** Characters of a password that is looked at at all, far beyond what may be chosen. */
export const MAX_PASSWORD = 1024;
const MAX_ENCODED = 8192;

/**
 * The credentials of a Basic Authorization header (RFC 7617, UTF-8); undefined when it is another scheme, malformed or
 * out of bounds.
 */
export function basicCredentials(header: string): Credentials | undefined {
  if (header.length > MAX_ENCODED || header.slice(0, 6).toLowerCase() !== 'basic ') return undefined;
  const encoded = header.slice(6).trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const text = utf8(Buffer.from(encoded, 'base64'));
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0) return undefined;
  return plausible({ username: text.slice(0, colon), password: text.slice(colon + 1) });
}

/** The credentials when somebody could have them; undefined when the name or password is empty, too long or one of them holds NUL. */
export function plausible(credentials: Credentials): Credentials | undefined {
  const { username, password } = credentials;
  if (username === '' || username.length > MAX_USERNAME || username.includes('\0')) return undefined;
  if (password === '' || password.length > MAX_PASSWORD || password.includes('\0')) return undefined;
  return credentials;
}

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8: nobody's name
  }
}
