import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CoreOptions } from '../platform/core-options.js';
import { cookie, cookieValue, expiredCookie, SESSION_COOKIE, VISITOR_COOKIE, type CookieRules } from './cookies.js';
import { maskedToken, newCsrfSecret, tokenFits, VisitorSecrets } from './csrf-token.js';
import { isCrossSite, isForeignPage } from './page-origin.js';
import type { OpenedSession } from './session.service.js';

const TOKEN_HEADER = 'x-harbor-csrf-token';

const FOREIGN = 'this request was sent by a page of another site; open the portal of this registry and do it there';
const NO_TOKEN = 'the request has no valid X-Harbor-CSRF-Token header; send it again with the token and the cookies of this answer';

/**
 * Cookies and what keeps other sites from using them. The rule:
 *
 * - A browser's session has a secret in its row. Each request that the session cookie authorises gets a token made from
 *   it in X-Harbor-CSRF-Token; those that may change something must bring one back in the same header.
 * - A visitor without a session, who wants to log in or to register, has the secret in a signed cookie, given at the
 *   first request to /c/… (also at one that is refused, so that clients repeat it with what they were given); cookie and
 *   token together are the proof. An API call never gets a cookie.
 * - What a browser itself says about the page that sends a request (Sec-Fetch-Site, Origin) is checked besides.
 * - Requests with an Authorization header need none of this: no other site can make a browser send one, except for
 *   names and passwords that the browser remembers; so they are refused when they come from another site.
 *
 * The header and the visitor's cookie have the names that clients of Harbor look for.
 */
@Injectable()
export class BrowserService {
  readonly #visitors: VisitorSecrets;
  /** The secrets that requests got, so that one request gets one. */
  readonly #greeted = new WeakMap<FastifyRequest, Buffer>();

  constructor(private readonly options: CoreOptions) {
    this.#visitors = new VisitorSecrets(options.secretKey);
  }

  sessionId(request: FastifyRequest): string | undefined {
    return cookieValue(request.headers.cookie, SESSION_COOKIE);
  }

  /** Gives the browser its new session. */
  remember(request: FastifyRequest, reply: FastifyReply, session: OpenedSession): void {
    reply.header('Set-Cookie', cookie(SESSION_COOKIE, session.id, this.#rules(request, 'Lax')));
    offerToken(reply, session.csrfSecret);
  }

  /** Takes the session cookie back and makes the browser a visitor. */
  forget(request: FastifyRequest, reply: FastifyReply): void {
    reply.header('Set-Cookie', expiredCookie(SESSION_COOKIE, this.#rules(request, 'Lax')));
    offerToken(reply, this.greet(request, reply));
  }

  /** The visitor's secret; a new one, with its cookie, when there is none. */
  greet(request: FastifyRequest, reply: FastifyReply): Buffer {
    const known = this.visitorSecret(request) ?? this.#greeted.get(request);
    if (known !== undefined) return known;
    const secret = newCsrfSecret();
    this.#greeted.set(request, secret);
    reply.header('Set-Cookie', cookie(VISITOR_COOKIE, this.#visitors.cookieFor(secret), this.#rules(request, 'Strict')));
    return secret;
  }

  /** Undefined for those who were never here. */
  visitorSecret(request: FastifyRequest): Buffer | undefined {
    return this.#visitors.secretOf(cookieValue(request.headers.cookie, VISITOR_COOKIE));
  }

  /** Lets the browser keep a value for so many seconds, on its way through a login elsewhere: it comes back with a link, so Lax. */
  keep(request: FastifyRequest, reply: FastifyReply, name: string, value: string, seconds: number): void {
    reply.header('Set-Cookie', `${cookie(name, value, this.#rules(request, 'Lax'))}; Max-Age=${seconds}`);
  }

  /** Takes such a value back. */
  drop(request: FastifyRequest, reply: FastifyReply, name: string): void {
    reply.header('Set-Cookie', expiredCookie(name, this.#rules(request, 'Lax')));
  }

  /** Offers a token of this secret for the next request. */
  offer(reply: FastifyReply, secret: Buffer): void {
    offerToken(reply, secret);
  }

  /** @throws Problem FORBIDDEN unless the request comes from a page of ours and brings a token of this secret */
  requireOwnPage(request: FastifyRequest, reply: FastifyReply, secret: Buffer): void {
    if (isForeignPage(request.headers, [request.host, this.#externalHost()])) throw new Problem('FORBIDDEN', FOREIGN);
    const token = request.headers[TOKEN_HEADER];
    if (typeof token === 'string' && tokenFits(token, secret)) return;
    this.greet(request, reply); // clients of Harbor repeat the request only when they get this cookie, too
    throw new Problem('FORBIDDEN', NO_TOKEN);
  }

  /** @throws Problem FORBIDDEN when a browser says that a page of another site sends this */
  requireNotCrossSite(request: FastifyRequest): void {
    if (isCrossSite(request.headers)) throw new Problem('FORBIDDEN', FOREIGN);
  }

  #externalHost(): string | undefined {
    return this.options.externalUrl === undefined ? undefined : new URL(this.options.externalUrl).host;
  }

  #rules(request: FastifyRequest, sameSite: CookieRules['sameSite']): CookieRules {
    return { secure: this.options.externalUrl?.startsWith('https:') === true || request.protocol === 'https', sameSite };
  }
}

function offerToken(reply: FastifyReply, secret: Buffer): void {
  reply.header(TOKEN_HEADER, maskedToken(secret));
}
