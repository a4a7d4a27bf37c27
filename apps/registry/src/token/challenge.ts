import type { IncomingMessage } from 'node:http';
import { OciError, type V2Route } from '@haven/oci';
import { isTrustedPeer, type AddressRanges } from '@haven/runtime';
import type { Action } from '../server/routes.js';

const SERVICE = 'harbor-registry';
const HOST = /^[A-Za-z0-9._-]{1,253}(:\d{1,5})?$|^\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?$/;

export interface ChallengeOptions {
  /** How clients reach the platform; without it, the host they asked for. */
  readonly externalUrl: string | undefined;
  readonly trustedProxies: AddressRanges;
}

/**
 * The answer to a request that lacks rights: 401 with the address of the token service and the scope to ask for
 * (Distribution token specification, "How to authenticate"; RFC 6750, section 3).
 */
export function challenge(request: IncomingMessage, route: V2Route, action: Action, mountFrom: string | undefined, options: ChallengeOptions, reason: 'missing' | 'invalid' | 'insufficient'): OciError {
  const scope = scopeOf(route, action, mountFrom);
  const parameters = [
    `realm="${externalUrl(request, options)}/service/token"`,
    `service="${SERVICE}"`,
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    ...(reason === 'missing' ? [] : [`error="${reason === 'invalid' ? 'invalid_token' : 'insufficient_scope'}"`]),
  ];
  return new OciError('UNAUTHORIZED', { message: messageOf(route, action, reason), headers: { 'www-authenticate': `Bearer ${parameters.join(',')}` } });
}

/** Where the client reached us, as far as it can be trusted; the base of every absolute address we give out. */
export function externalUrl(request: IncomingMessage, options: ChallengeOptions): string {
  if (options.externalUrl !== undefined) return options.externalUrl;
  const trusted = isTrustedPeer(options.trustedProxies, request.socket.remoteAddress);
  const scheme = trusted && request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const forwarded = request.headers['x-forwarded-host'];
  const host = (trusted && typeof forwarded === 'string' ? forwarded : request.headers.host) ?? '';
  if (!HOST.test(host)) throw new OciError('UNSUPPORTED', { status: 400, message: 'The Host header is missing or malformed.' });
  return `${scheme}://${host}`;
}

function scopeOf(route: V2Route, action: Action, mountFrom: string | undefined): string {
  if (action === 'catalog') return 'registry:catalog:*';
  if (!('repository' in route)) return '';
  const actions = action === 'push' ? 'pull,push' : action;
  const scope = `repository:${route.repository}:${actions}`;
  return mountFrom === undefined ? scope : `${scope} repository:${mountFrom}:pull`;
}

function messageOf(route: V2Route, action: Action, reason: string): string {
  if (reason === 'invalid') return 'The token is not valid here, has expired or was revoked; log in again.';
  if (reason === 'missing') return 'Log in to do this.';
  if (action === 'catalog') return 'Only an administrator may list all repositories.';
  return 'repository' in route ? `You may not ${action} ${action === 'push' ? 'to' : 'from'} ${route.repository}.` : 'Log in to do this.';
}
