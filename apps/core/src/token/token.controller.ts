import { Controller, Get, HttpCode, Post, Req, UseFilters } from '@nestjs/common';
import { Problem, TokenAnswer, type TokenForm } from '@haven/api';
import type { FastifyRequest } from 'fastify';
import { Requires } from '../authorization/requirement.guard.js';
import { open } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { plausible } from '../identity/basic-credentials.js';
import { IdentityService, type IdentifiedCaller } from '../identity/identity.service.js';
import { OAuthProblem, OAuthProblemFilter } from './oauth-problem.filter.js';
import { readTokenForm, readTokenQuery } from './token-request.js';
import { TokenService } from './token.service.js';

const LOG_IN = 'log in with a user name and a password, or ask for the scope of a public project';

/** Docker's token service, in its query form (GET, Basic authentication) and its OAuth2 form (POST). */
@Controller('service/token')
export class TokenController {
  constructor(
    private readonly identity: IdentityService,
    private readonly tokens: TokenService,
  ) {}

  @Get()
  @Operation({ id: 'getToken', tag: 'token', summary: 'A registry token for the scopes asked for (Docker token specification)', refuses: ['TOO_MANY_REQUEST'] })
  @Requires(open) // checks credentials itself: what is asked for comes first
  @Responds(TokenAnswer)
  async issue(@Req() request: FastifyRequest): Promise<TokenAnswer> {
    const { scopes } = readTokenQuery(request.query);
    const caller = await this.identity.identify(request.headers.authorization, request.ip);
    if (caller.subject.kind === 'anonymous' && scopes.length === 0) {
      throw new Problem('UNAUTHORIZED', LOG_IN, { headers: { 'WWW-Authenticate': 'Basic realm="Haven", charset="UTF-8"' } });
    }
    return this.tokens.issue(caller, scopes);
  }

  @Post()
  @Operation({ id: 'exchangeToken', tag: 'token', summary: 'A registry token for a name and a password (OAuth2 form of the Docker token specification)', refuses: ['TOO_MANY_REQUEST'], audits: 'nothing' })
  @HttpCode(200)
  @Requires(open)
  @Responds(TokenAnswer)
  @UseFilters(OAuthProblemFilter)
  async exchange(@Req() request: FastifyRequest): Promise<TokenAnswer> {
    const { form, scopes } = readTokenForm(request.body);
    const answer = await this.tokens.issue(await this.#caller(form, request.ip), scopes);
    return { ...answer, token_type: 'Bearer', ...(form.scope === undefined ? {} : { scope: form.scope }) };
  }

  /** The caller of the OAuth2 form (RFC 6749, section 4.3). Refresh tokens are not issued, so none can be exchanged. */
  async #caller({ grant_type: grant, username = '', password = '' }: TokenForm, address: string): Promise<IdentifiedCaller> {
    if (grant === 'refresh_token') throw new OAuthProblem('unsupported_grant_type', 'this registry issues no refresh tokens; log in with grant_type=password');
    if (grant !== 'password') throw new OAuthProblem('unsupported_grant_type', 'use grant_type=password');
    const credentials = plausible({ username, password });
    if (credentials === undefined) throw new Problem('UNAUTHORIZED', 'the user name or the password is missing or too long');
    return this.identity.logIn(credentials, address);
  }
}
