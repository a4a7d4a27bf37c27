/** A browser's login; the name that clients of Harbor know. */
export const SESSION_COOKIE = 'sid';
/** The visitor's half of the protection against forged requests; the name that clients of Harbor send back. */
export const VISITOR_COOKIE = '_gorilla_csrf';

/**
 * The value of one cookie (RFC 6265, section 5.4); undefined when it is missing, and also when it is sent twice:
 * neighbours of our host name can add a second one, and picking either would let them choose.
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const values = header.split(';').map((pair) => pair.trim()).filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

export interface CookieRules {
  /** Only over TLS. */
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'Strict';
}

/** A Set-Cookie header: for this host only, for as long as the browser runs, out of reach of scripts. */
export function cookie(name: string, value: string, { secure, sameSite }: CookieRules): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`;
}

/** A Set-Cookie header that makes the browser forget one. */
export function expiredCookie(name: string, rules: CookieRules): string {
  return `${cookie(name, '', rules)}; Max-Age=0`;
}
