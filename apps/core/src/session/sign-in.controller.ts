import { Controller, Get, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { anyone } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { IdentityService } from '../identity/identity.service.js';
import { BrowserService } from './browser.service.js';
import { ElsewhereFilter } from './elsewhere.filter.js';
import { RegistrationService } from './registration.service.js';
import { SessionService } from './session.service.js';
import { readNameForm, readSignInForm } from './sign-in-form.js';
import { SingleSignOnService } from './single-sign-on.service.js';

/** The way in and out for browsers. The guard holds the forms to BrowserService's rule. */
@Controller('c')
export class SignInController {
  constructor(
    private readonly identity: IdentityService,
    private readonly sessions: SessionService,
    private readonly browsers: BrowserService,
    private readonly registration: RegistrationService,
    private readonly singleSignOn: SingleSignOnService,
  ) {}

  @Get('login')
  @Operation({ id: 'prepareLogin', tag: 'login', summary: 'Get the cookie and the X-Harbor-CSRF-Token that the forms below need', extension: true })
  @Requires(anyone)
  @RespondsNothing()
  prepare(): void {
    // The guard has given cookie and token, as for every address below /c/.
  }

  @Post('login')
  @HttpCode(200)
  // Logins, also failed ones, are put into the audit trail where they happen: at a rate that guessing does not set.
  @Operation({ id: 'login', tag: 'login', summary: 'Log in with the form fields principal and password; the cookie sid is the session', refuses: ['UNSUPPORTED_MEDIA_TYPE'], audits: 'nothing' })
  @Requires(anyone)
  @UseFilters(ElsewhereFilter)
  @RespondsNothing()
  async logIn(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const credentials = readSignInForm(request.body);
    if (credentials === undefined) throw new Problem('UNAUTHORIZED', 'the user name or the password is missing or too long');
    await this.singleSignOn.requireLoginHere(credentials.username);
    const account = await this.identity.authenticate(credentials, request.ip);
    const device = { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
    this.browsers.remember(request, reply, await this.sessions.open(account, device, request.session));
  }

  @Get('log_out')
  @Operation({ id: 'logout', tag: 'login', summary: 'Log out: the session ends' })
  @Requires(anyone)
  @UseFilters(ElsewhereFilter)
  @RespondsNothing()
  async logOut(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    this.browsers.requireNotCrossSite(request); // a GET that changes something, for the sake of Harbor's clients
    await this.singleSignOn.requireLogoutHere(request.session?.userId);
    if (request.session !== undefined) await this.sessions.close(request.session);
    this.browsers.forget(request, reply);
  }

  @Post('userExists')
  @HttpCode(200)
  @Operation({
    id: 'userExists', tag: 'login', summary: 'Whether a user name or email address is taken (form fields target, value)',
    refuses: ['PRECONDITION', 'UNSUPPORTED_MEDIA_TYPE'], audits: 'nothing',
  })
  @Requires(anyone)
  @Responds(z.boolean())
  async userExists(@CallerParam() { subject }: Caller, @Req() request: FastifyRequest): Promise<boolean> {
    const allowed = (subject.kind === 'user' && subject.sysadmin) || (await this.registration.isOpen());
    if (!allowed) throw new Problem('PRECONDITION', 'self-registration is switched off, so only system administrators may ask for names');
    return this.registration.isTaken(readNameForm(request.body));
  }
}
