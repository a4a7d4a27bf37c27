import type { IncomingMessage } from 'node:http';
import { TokenError, type AccessEpochs, type RegistryTokenClaims, type RegistryTokenVerifier } from '@haven/access';
import type { V2Route } from '@haven/oci';
import type { Action } from '../server/routes.js';
import type { AccessWatch } from './access-watch.js';
import { challenge, type ChallengeOptions } from './challenge.js';

const BEARER = /^Bearer +([^ ]+)$/i;

/** What a request wants to do, and where. */
export interface Wish {
  readonly request: IncomingMessage;
  readonly route: V2Route;
  readonly action: Action;
  /** The repository that a mount reads from, which needs its own right to pull. */
  readonly mountFrom: string | undefined;
}

/** Decides by the token alone whether a request may go on; nobody is asked. Whatever is unclear is refused. */
export class Authorizer {
  readonly #verifier: RegistryTokenVerifier;
  readonly #epochs: AccessEpochs;
  readonly #watch: Pick<AccessWatch, 'requireCurrent'>;
  readonly #options: ChallengeOptions;

  /** @param parts.watch keeps `epochs` up to date */
  constructor(parts: { readonly verifier: RegistryTokenVerifier; readonly epochs: AccessEpochs; readonly watch: Pick<AccessWatch, 'requireCurrent'>; readonly options: ChallengeOptions }) {
    this.#verifier = parts.verifier;
    this.#epochs = parts.epochs;
    this.#watch = parts.watch;
    this.#options = parts.options;
  }

  /** The caller's claims, at once where the token was seen before. Throws, or rejects with, the 401 to answer, or 503 while nobody can tell. */
  authorize(wish: Wish): RegistryTokenClaims | Promise<RegistryTokenClaims> {
    const token = BEARER.exec(wish.request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw this.#refusal(wish, 'missing');
    const seen = this.#verifier.verifyCached(token);
    return seen ? this.#checked(wish, seen) : this.#verify(wish, token);
  }

  async #verify(wish: Wish, token: string): Promise<RegistryTokenClaims> {
    try {
      return this.#checked(wish, await this.#verifier.verify(token));
    } catch (error) {
      throw error instanceof TokenError ? this.#refusal(wish, 'invalid') : error;
    }
  }

  #checked(wish: Wish, claims: RegistryTokenClaims): RegistryTokenClaims {
    this.#watch.requireCurrent();
    if (this.#epochs.isRevoked(claims)) throw this.#refusal(wish, 'invalid');
    if (!allows(claims, wish)) throw this.#refusal(wish, 'insufficient');
    return claims;
  }

  #refusal(wish: Wish, reason: 'missing' | 'invalid' | 'insufficient'): Error {
    return challenge(wish.request, wish.route, wish.action, wish.mountFrom, this.#options, reason);
  }
}

function allows(claims: RegistryTokenClaims, wish: Wish): boolean {
  const { route, action, mountFrom } = wish;
  if (action === 'login') return claims.subject !== '';
  if (action === 'catalog') return claims.access.some((entry) => entry.type === 'registry' && entry.name === 'catalog');
  if (!('repository' in route) || !mayAct(claims, route.repository, action)) return false;
  return mountFrom === undefined || mayAct(claims, mountFrom, 'pull');
}

function mayAct(claims: RegistryTokenClaims, repository: string, action: 'pull' | 'push' | 'delete'): boolean {
  return claims.access.some((entry) => entry.type === 'repository' && entry.name === repository && entry.actions.includes(action));
}
