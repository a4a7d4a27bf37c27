import { randomUUID } from 'node:crypto';

/** The caller's X-Request-ID when it is harmless ([A-Za-z0-9._-], up to 128 characters), otherwise a new UUID. */
export function requestIdFrom(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : randomUUID();
}
