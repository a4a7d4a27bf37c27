import { isRepositoryName } from '@haven/oci';
import { REPOSITORY_ACTIONS, type RepositoryAction } from '../can.js';
import { parseSubjectId } from '../subject.js';
import { TokenError } from './token-error.js';

export const TOKEN_ISSUER = 'haven-token-issuer';
export const TOKEN_SERVICE = 'harbor-registry';

/** The longest life of a token, in seconds. */
export const MAX_TOKEN_SECONDS = 24 * 60 * 60;

/** How far clocks of two machines may differ, in seconds. */
export const CLOCK_LEEWAY_SECONDS = 60;

const MAX_ACCESS_ENTRIES = 100;
const MAX_NAME = 255;

/** What a token allows. */
export type AccessEntry =
  | {
      readonly type: 'repository';
      readonly name: string;
      readonly actions: readonly RepositoryAction[];
      /** The project's id at the time of issue, for revocation; 0 when there is no such project, and then no actions. */
      readonly project: number;
    }
  | { readonly type: 'registry'; readonly name: 'catalog'; readonly actions: readonly ['*'] };

/** The content of a registry token. Times are seconds since 1970. */
export interface RegistryTokenClaims {
  /** `''`, `user:3` or `robot:7`. */
  readonly subject: string;
  /** The display name, for logs. */
  readonly name: string;
  readonly access: readonly AccessEntry[];
  /** May have a fraction (milliseconds), so that a token is told from a revocation in the same second. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Unique; in logs it stands for the token. */
  readonly id: string;
}

/** The JWT's payload (RFC 7519 section 4.1, and `access` of the Distribution token specification). */
export function claimsToPayload(claims: RegistryTokenClaims): Record<string, unknown> {
  const milliseconds = Math.round(claims.issuedAt * 1000);
  const issuedAt = Math.floor(milliseconds / 1000);
  return {
    iss: TOKEN_ISSUER,
    aud: TOKEN_SERVICE,
    sub: claims.subject,
    name: claims.name,
    iat: issuedAt,
    nbf: issuedAt,
    exp: claims.expiresAt,
    iat_ms: milliseconds,
    jti: claims.id,
    access: claims.access,
  };
}

/**
 * Checks a payload whose signature was right. Every claim is required and of its exact type.
 *
 * @param now seconds since 1970
 * @throws TokenError
 */
export function payloadToClaims(payload: unknown, now: number): RegistryTokenClaims {
  if (!isObject(payload)) throw new TokenError('the payload is not an object');
  if (payload['iss'] !== TOKEN_ISSUER) throw new TokenError('another issuer');
  if (!isForThisService(payload['aud'])) throw new TokenError('another audience');
  const { issuedAt, expiresAt } = readTimes(payload, now);
  const { sub, name, jti } = payload;
  if (typeof sub !== 'string' || parseSubjectId(sub) === undefined) throw new TokenError('a malformed subject');
  if (typeof name !== 'string' || name.length > MAX_NAME) throw new TokenError('a malformed name');
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_NAME) throw new TokenError('a malformed id');
  return { subject: sub, name, access: readAccess(payload['access']), issuedAt, expiresAt, id: jti };
}

function isForThisService(audience: unknown): boolean {
  return audience === TOKEN_SERVICE || (Array.isArray(audience) && audience.includes(TOKEN_SERVICE));
}

function readTimes(payload: Record<string, unknown>, now: number): { issuedAt: number; expiresAt: number } {
  const issuedAt = readSeconds(payload, 'iat');
  const notBefore = readSeconds(payload, 'nbf');
  const expiresAt = readSeconds(payload, 'exp');
  if (expiresAt <= issuedAt || expiresAt - issuedAt > MAX_TOKEN_SECONDS) throw new TokenError('an impossible lifetime');
  if (Math.max(issuedAt, notBefore) > now + CLOCK_LEEWAY_SECONDS) throw new TokenError('not valid yet');
  if (expiresAt + CLOCK_LEEWAY_SECONDS <= now) throw new TokenError('expired');
  const milliseconds = readSeconds(payload, 'iat_ms');
  if (Math.floor(milliseconds / 1000) !== issuedAt) throw new TokenError('contradictory times of issue');
  return { issuedAt: milliseconds / 1000, expiresAt };
}

function readSeconds(payload: Record<string, unknown>, claim: string): number {
  const value = payload[claim];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TokenError(`${claim} is missing or not a whole number`);
}

function readAccess(value: unknown): AccessEntry[] {
  if (!Array.isArray(value) || value.length > MAX_ACCESS_ENTRIES) throw new TokenError('malformed access');
  return value.map(readEntry);
}

function readEntry(value: unknown): AccessEntry {
  if (!isObject(value)) throw new TokenError('malformed access');
  const { type, name, actions, project } = value;
  if (typeof name !== 'string' || !Array.isArray(actions)) throw new TokenError('malformed access');
  if (type === 'registry' && name === 'catalog' && actions.length === 1 && actions[0] === '*') return { type, name, actions: ['*'] };
  if (type !== 'repository' || typeof project !== 'number' || !Number.isSafeInteger(project) || project < 0) throw new TokenError('malformed access');
  if (actions.length > REPOSITORY_ACTIONS.length || !actions.every(isRepositoryAction)) throw new TokenError('malformed access');
  if (actions.length > 0 && (project === 0 || !isRepositoryName(name))) throw new TokenError('malformed access');
  return { type, name, actions, project };
}

function isRepositoryAction(value: unknown): value is RepositoryAction {
  return REPOSITORY_ACTIONS.some((action) => action === value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
