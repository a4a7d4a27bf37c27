import { urlFault } from '../outbound-url.js';

/** Registries whose tokens come from another host of the same owner. */
const TOKEN_HOSTS: Readonly<Record<string, string>> = { 'registry-1.docker.io': 'auth.docker.io', 'index.docker.io': 'auth.docker.io', 'docker.io': 'auth.docker.io' };

/**
 * The address that a `Bearer` challenge sends to for a token; undefined when credentials must not go there: to another
 * host than the registry's, or from https to http.
 *
 * @param registry the address of the registry that made the challenge
 */
export function tokenRequest(challenge: string, registry: string): string | undefined {
  const realm = parameter(challenge, 'realm');
  if (realm === undefined || urlFault(realm) !== undefined) return undefined;
  const [to, from] = [new URL(realm), new URL(registry)];
  if (to.protocol !== 'https:' && from.protocol === 'https:') return undefined;
  const known = Object.hasOwn(TOKEN_HOSTS, from.hostname) ? TOKEN_HOSTS[from.hostname] : undefined;
  if (to.hostname !== from.hostname && (to.hostname !== known || to.protocol !== 'https:')) return undefined;
  const service = parameter(challenge, 'service');
  if (service !== undefined) to.searchParams.set('service', service);
  return to.href;
}

function parameter(challenge: string, name: string): string | undefined {
  return new RegExp(`[\\s,]${name}="([^"\\\\]{1,2048})"`, 'i').exec(challenge.slice(0, 8192))?.[1];
}
