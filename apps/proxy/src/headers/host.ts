const MAX_HOST = 255 + 6;

/**
 * Whether a Host or X-Forwarded-Host value is a plain `name`, `name:port`, `1.2.3.4:port` or `[ipv6]:port` (RFC 3986 section 3.2.2,
 * without user information and percent-encoding): it ends up in URLs that upstreams build.
 */
export function isHost(text: string): boolean {
  if (text.length === 0 || text.length > MAX_HOST) return false;
  const nameEnd = text.charCodeAt(0) === 0x5b ? bracketedEnd(text) : plainEnd(text);
  return nameEnd > 0 && (nameEnd === text.length || isPort(text, nameEnd));
}

/** The `:port` of a valid host, without the colon; empty when it has none. */
export function portOf(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(colon + 1) : '';
}

/** A valid host without its port. */
export function hostnameOf(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}

function plainEnd(text: string): number {
  let at = 0;
  while (at < text.length && isNameCharacter(text.charCodeAt(at))) at += 1;
  return at;
}

/** Letters, digits, and `-`, `.`, `_`. */
function isNameCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x5f;
}

function bracketedEnd(text: string): number {
  const close = text.indexOf(']');
  return /^\[[0-9A-Fa-f:.]{2,45}\]/.test(text) ? close + 1 : 0;
}

function isPort(text: string, colon: number): boolean {
  const digits = text.length - colon - 1;
  if (text.charCodeAt(colon) !== 0x3a || digits < 1 || digits > 5) return false;
  for (let at = colon + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
