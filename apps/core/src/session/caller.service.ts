import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { currentOrigin } from '@haven/database';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdentityService } from '../identity/identity.service.js';
import { BrowserService } from './browser.service.js';
import { isUnsafe } from './page-origin.js';
import { SessionService } from './session.service.js';
import { SingleSignOnService } from './single-sign-on.service.js';
import type { Session } from './session.store.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The browser's login that authorises the request; undefined when something else, or nothing, does. */
    session?: Session | undefined;
  }
}

/** The routes for browsers that are not logged in yet. */
const VISITOR_ROUTES = '/c/';

/** Finds out who sends a request: by its Authorization header, or else by its session cookie. */
@Injectable()
export class CallerService {
  constructor(
    private readonly identity: IdentityService,
    private readonly sessions: SessionService,
    private readonly browsers: BrowserService,
    private readonly singleSignOn: SingleSignOnService,
  ) {}

  /**
   * The caller. A request with an Authorization header stands or falls with that: its cookies are not looked at. One
   * that a cookie authorises must prove that it comes from a page of ours; see BrowserService.
   *
   * @throws Problem UNAUTHORIZED, FORBIDDEN or TOO_MANY_REQUEST
   */
  async callerOf(request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization === undefined) request.session = await this.sessions.find(this.browsers.sessionId(request), renews(request));
    this.#requireOwnPage(request, reply);
    return request.session === undefined ? this.#identified(authorization, request) : callerIn(request.session);
  }

  async #identified(authorization: string | undefined, { ip, method, routeOptions }: FastifyRequest): Promise<Caller> {
    const caller = await this.identity.identify(authorization, ip);
    if (caller.subject.kind === 'user') await this.singleSignOn.requireMachineRoute(caller.subject.id, method, routeOptions.url ?? '');
    return caller;
  }

  #requireOwnPage(request: FastifyRequest, reply: FastifyReply): void {
    const { session } = request;
    const unsafe = isUnsafe(request.method);
    if (session === undefined && request.routeOptions.url?.startsWith(VISITOR_ROUTES) !== true) {
      if (unsafe && request.headers.authorization !== undefined) this.browsers.requireNotCrossSite(request);
      return;
    }
    const secret = session?.csrfSecret ?? this.browsers.greet(request, reply);
    this.browsers.offer(reply, secret);
    if (unsafe) this.browsers.requireOwnPage(request, reply, secret);
  }
}

/** Pages that ask for news by themselves do not keep a session alive. */
function renews(request: FastifyRequest): boolean {
  return request.headers['x-harbor-no-session-renewal'] === undefined;
}

function callerIn({ userId, username, sysadmin }: Session): Caller {
  const origin = currentOrigin();
  if (origin !== undefined) origin.name = username;
  return { subject: { kind: 'user', id: userId, name: username, sysadmin } };
}
