import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import {
  canOnSystem, MAX_TOKEN_LENGTH, parseScopes, repositoryActions, ScopeError, signRegistryToken, subjectId, TokenError, type AccessEntry, type Caller, type Scope,
} from '@haven/access';
import { Problem, type TokenAnswer } from '@haven/api';
import { isRepositoryName, projectOf } from '@haven/oci';
import type { KnownProject } from '../authorization/known-project.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import type { IdentifiedCaller } from '../identity/identity.service.js';
import { SigningKeyService } from './signing-key.service.js';
import { TokenStore, type Ground } from './token.store.js';

/** Issues registry tokens: exactly the scopes that were asked for and that the caller holds, per repository. */
@Injectable()
export class TokenService {
  constructor(
    private readonly store: TokenStore,
    private readonly keys: SigningKeyService,
    private readonly configuration: ConfigurationService,
  ) {}

  /**
   * A token for these scopes. What may not be granted is left out; a token without any right is still issued, as
   * clients log in that way.
   *
   * @throws Problem BAD_REQUEST for more scopes than fit into a token
   */
  async issue(caller: IdentifiedCaller, scopeTexts: readonly string[]): Promise<TokenAnswer> {
    const scopes = requestedScopes(scopeTexts);
    const { subject } = caller;
    const now = Date.now() / 1000;
    const grounds = await this.store.grounds(projectNames(scopes), subject.kind === 'user' ? subject.id : 0);
    const projects = new Map(grounds.map((project) => [project.name, project]));
    const access = scopes.flatMap((scope) => entryFor(caller, scope, projects));
    const issuedAt = Math.max(now, caller.lastWithdrawal, lastWithdrawal(grounds, access));
    const seconds = lifeOf(caller, issuedAt, (await this.configuration.current()).token_expiration * 60);
    const token = await this.#sign({
      subject: subjectId(subject),
      name: subject.kind === 'anonymous' ? '' : subject.name,
      access,
      issuedAt,
      expiresAt: Math.floor(issuedAt) + seconds,
      id: randomUUID(),
    });
    return { token, access_token: token, expires_in: seconds, issued_at: new Date(Math.floor(now) * 1000).toISOString() };
  }

  async #sign(claims: Parameters<typeof signRegistryToken>[1]): Promise<string> {
    try {
      return await signRegistryToken(this.keys.current(), claims);
    } catch (cause) {
      if (!(cause instanceof TokenError)) throw cause;
      throw new Problem('BAD_REQUEST', `so many scopes do not fit into a token of ${MAX_TOKEN_LENGTH} characters; ask for fewer`, { cause });
    }
  }
}

/**
 * Withdrawals are dated ahead (withdrawTokens); those that this token's grounds have seen must not refuse it. Those of
 * projects in which it gives no right stay out of it: they would show that there are such projects.
 */
function lastWithdrawal(grounds: readonly Ground[], access: readonly AccessEntry[]): number {
  const granted = new Set(access.flatMap((entry) => (entry.type === 'repository' ? [entry.project] : [])));
  return Math.max(0, ...grounds.filter(({ id }) => granted.has(id)).map((ground) => ground.lastWithdrawal));
}

/** A token does not outlive the robot it is for, and lives a second at least. */
function lifeOf({ validUntil = Infinity }: IdentifiedCaller, issuedAt: number, seconds: number): number {
  return Math.max(1, Math.min(seconds, Math.floor(validUntil) - Math.floor(issuedAt)));
}

function requestedScopes(texts: readonly string[]): Scope[] {
  try {
    return parseScopes(texts);
  } catch (cause) {
    if (!(cause instanceof ScopeError)) throw cause;
    throw new Problem('BAD_REQUEST', cause.message, { cause });
  }
}

function projectNames(scopes: readonly Scope[]): string[] {
  return [...new Set(scopes.filter(isRepositoryScope).map((scope) => projectOf(scope.name)))];
}

function isRepositoryScope(scope: Scope): boolean {
  return scope.type === 'repository' && isRepositoryName(scope.name);
}

/** One entry of the token's access list; none for what this registry does not know. Without a right, it does not tell whether there is such a project. */
function entryFor(caller: Caller, scope: Scope, projects: ReadonlyMap<string, KnownProject>): AccessEntry[] {
  if (scope.type === 'registry' && scope.name === 'catalog') {
    return scope.actions.includes('*') && canOnSystem(caller, 'read', 'catalog') ? [{ type: 'registry', name: 'catalog', actions: ['*'] }] : [];
  }
  if (scope.type !== 'repository') return [];
  const project = isRepositoryScope(scope) ? projects.get(projectOf(scope.name)) : undefined;
  const actions = project === undefined ? [] : repositoryActions(caller, project, scope.actions);
  return [{ type: 'repository', name: scope.name, actions, project: actions.length === 0 ? 0 : (project?.id ?? 0) }];
}
