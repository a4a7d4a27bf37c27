import { z } from 'zod';
import type { ExternalUser } from '../external-user.js';
import { AuthProxyFault } from './auth-proxy-fault.js';
import type { AuthProxySettings } from './auth-proxy-settings.js';

/** Somebody as a token review describes them. */
export interface Reviewed {
  readonly username: string;
  /** What never is given to somebody else, where the service says such a thing. */
  readonly uid: string | undefined;
  readonly groups: readonly string[];
}

const LONGEST_UID = 255;
/** More groups than anybody is in; a service that sends more is misconfigured, and cutting them off would decide about rights. */
const MOST_GROUPS = 2000;

/** The answer of Kubernetes (authentication.k8s.io, TokenReview); what is false or empty may be missing. */
const TokenReview = z.object({
  kind: z.literal('TokenReview'),
  status: z.object({
    authenticated: z.boolean().optional(),
    error: z.string().optional(),
    user: z.unknown().optional(),
  }),
});

/** Looked at only when the token is good: the answer about a bad one has an empty user. */
const User = z.object({
  username: z.string().min(1).max(1024),
  uid: z.string().max(LONGEST_UID).regex(/^\P{Cc}*$/u).optional(),
  groups: z.array(z.string()).max(MOST_GROUPS).nullable().optional(),
});

/** The question whose token this is, in the version of the API that the address names; the older one where it names none. */
export function reviewRequest(token: string, { pathname }: URL): string {
  const version = pathname.includes('/authentication.k8s.io/v1/') ? 'v1' : 'v1beta1';
  return JSON.stringify({ apiVersion: `authentication.k8s.io/${version}`, kind: 'TokenReview', spec: { token } });
}

/**
 * Whose token it is; undefined when it is nobody's.
 *
 * @throws AuthProxyFault for an answer that does not say it clearly
 */
export function readReview(body: string): Reviewed | undefined {
  const { authenticated = false, error = '', user } = understood(TokenReview, () => JSON.parse(body)).status;
  if (!authenticated) return undefined;
  if (error !== '') throw new AuthProxyFault('http_authproxy_tokenreview_endpoint says at once that a token is good and that it could not be checked');
  const { username, uid = '', groups } = understood(User, () => user);
  return { username, uid: uid === '' ? undefined : uid, groups: [...new Set(groups ?? [])] };
}

/** The account that somebody has here. Names and groups are compared to the settings as they are written, case included. */
export function externalUserOf({ username, uid, groups }: Reviewed, { adminGroups, adminUsernames }: AuthProxySettings): ExternalUser {
  return {
    source: 'http', externalId: uid === undefined ? nameIdOf(username) : `uid:${uid}`, username, realname: username, email: '',
    groups: groups.map((name) => ({ name })), admin: adminUsernames.includes(username) || groups.some((name) => adminGroups.includes(name)),
  };
}

/** The identity of somebody who has nothing but a name. */
export function nameIdOf(username: string): string {
  return `name:${username}`;
}

function understood<Value>(form: z.ZodType<Value>, read: () => unknown): Value {
  const wrong = 'http_authproxy_tokenreview_endpoint answers with something that is no TokenReview';
  try {
    return form.parse(read());
  } catch (cause) {
    // What zod says names fields, never their values; what the parser of JSON says quotes the answer, which may hold the token.
    if (!(cause instanceof z.ZodError)) throw new AuthProxyFault(`${wrong} (no JSON)`);
    const [issue] = cause.issues;
    throw new AuthProxyFault(`${wrong} (${issue?.path.join('.') || 'the whole'}: ${issue?.code ?? ''})`, { cause });
  }
}
