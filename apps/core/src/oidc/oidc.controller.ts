import { Body, Controller, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { OIDCCallbackQuery, OIDCLoginQuery, OIDCOnboardReq } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Requires } from '../authorization/requirement.guard.js';
import { anyone, open } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsNothing } from '../http/response.interceptor.js';
import { BrowserService } from '../session/browser.service.js';
import { cookieValue } from '../session/cookies.js';
import { SessionService } from '../session/session.service.js';
import { ATTEMPT_COOKIE, ATTEMPT_SECONDS } from './login-attempt.js';
import { OidcLoginService, type Entry } from './oidc-login.service.js';
import { ONBOARDING_COOKIE, ONBOARDING_SECONDS } from './pending-person.js';
import { SignOutService } from './sign-out.service.js';

/** The way in and out for browsers of people whose accounts an OpenID provider keeps. */
@Controller('c/oidc')
export class OidcController {
  constructor(
    private readonly logins: OidcLoginService,
    private readonly sessions: SessionService,
    private readonly browsers: BrowserService,
    private readonly signOut: SignOutService,
  ) {}

  @Get('login')
  @HttpCode(302)
  @Operation({ id: 'oidcLogin', tag: 'login', summary: 'Go to the OpenID provider to log in', refuses: ['BAD_REQUEST', 'PRECONDITION'] })
  @Requires(open)
  @RespondsNothing()
  async begin(@Query({ schema: OIDCLoginQuery }) { redirect_url: redirectUrl }: OIDCLoginQuery, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const { location, cookie } = await this.logins.begin(redirectUrl === undefined || redirectUrl === '' ? '/' : redirectUrl);
    this.browsers.keep(request, reply, ATTEMPT_COOKIE, cookie, ATTEMPT_SECONDS);
    reply.header('Location', location);
  }

  @Get('callback')
  @HttpCode(302)
  @Operation({ id: 'oidcCallback', tag: 'login', summary: 'Come back from the OpenID provider', refuses: ['BAD_REQUEST', 'FORBIDDEN', 'CONFLICT', 'PRECONDITION', 'TOO_MANY_REQUEST'] })
  @Requires(anyone)
  @RespondsNothing()
  async finish(@Query({ schema: OIDCCallbackQuery }) _query: OIDCCallbackQuery, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const query = new URL(request.url, 'http://here.invalid').search;
    const outcome = await this.logins.finish(query, cookieValue(request.headers.cookie, ATTEMPT_COOKIE), request.ip);
    this.browsers.drop(request, reply, ATTEMPT_COOKIE);
    if (outcome.kind === 'entered') {
      await this.#enter(outcome, request, reply);
      reply.header('Location', outcome.returnTo);
      return;
    }
    this.browsers.keep(request, reply, ONBOARDING_COOKIE, outcome.id, ONBOARDING_SECONDS);
    reply.header('Location', `/oidc-onboard?${new URLSearchParams({ username: outcome.suggestedName, redirect_url: outcome.returnTo }).toString()}`);
  }

  @Post('onboard')
  @HttpCode(200)
  @Operation({
    id: 'oidcOnboard', tag: 'login', summary: 'Choose the user name of a new account of the OpenID provider', refuses: ['CONFLICT', 'PRECONDITION'],
    audits: { operation: 'login', resourceType: 'user' },
  })
  @Requires(anyone)
  @RespondsNothing()
  async onboard(@Body({ schema: OIDCOnboardReq }) { username }: OIDCOnboardReq, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const entry = await this.logins.onboard(cookieValue(request.headers.cookie, ONBOARDING_COOKIE), username);
    this.browsers.drop(request, reply, ONBOARDING_COOKIE);
    await this.#enter(entry, request, reply);
  }

  @Get('logout')
  @HttpCode(302)
  @Operation({ id: 'oidcLogout', tag: 'login', summary: 'Log out, also at the OpenID provider where oidc_logout is on', refuses: ['FORBIDDEN', 'PRECONDITION'] })
  @Requires(anyone)
  @RespondsNothing()
  async leave(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    this.browsers.requireNotCrossSite(request); // a GET that changes something, for the sake of Harbor's clients
    const location = await this.signOut.leave(request.session);
    if (request.session !== undefined) await this.sessions.close(request.session);
    this.browsers.forget(request, reply);
    reply.header('Location', location);
  }

  async #enter({ account, idToken }: Entry, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const device = { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
    const session = await this.sessions.open(account, device, request.session);
    await this.signOut.remember(session.id, idToken);
    this.browsers.remember(request, reply, session);
  }
}
