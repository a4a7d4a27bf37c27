import { createHash, createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT_ID = 'haven';
export const CLIENT_SECRET = 'client-secret-of-haven';

type Json = Readonly<Record<string, unknown>>;

/** What the provider was asked for when a login began. */
export interface SeenLogin {
  readonly parameters: URLSearchParams;
  readonly code: string;
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newKey(kid: string): SigningKey {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A JWT with whatever header and signature a test wants. */
export function jwt(header: Json, claims: Json, signature: (input: string) => Buffer): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${signature(input).toString('base64url')}`;
}

export function rs256(key: SigningKey, claims: Json, header: Json = {}): string {
  return jwt({ alg: 'RS256', kid: key.kid, ...header }, claims, (input) => sign('sha256', Buffer.from(input), key.privateKey));
}

export function hs256(secret: string | Buffer, claims: Json, header: Json = {}): string {
  return jwt({ alg: 'HS256', ...header }, claims, (input) => createHmac('sha256', secret).update(input).digest());
}

/** An OpenID provider that does, and says, what a test wants; it hands out codes without asking anybody. */
export class OpenIdStub {
  readonly key = newKey('first');
  /** What /jwks answers. */
  keys: SigningKey[] = [this.key];
  /** Who logs in, and what is said of them in the ID token. */
  person: Json = { sub: 'subject-1', name: 'Alice Liddell', email: 'alice@example.test' };
  userinfo: Json | undefined;
  /** Overwrites parts of the metadata; undefined takes them away. */
  metadata: Json = {};
  /** Makes the ID token of its claims; the right one unless a test says otherwise. */
  makeIdToken: (claims: Json) => string = (claims) => rs256(this.key, claims);
  onRefresh: 'renew' | 'refuse' | 'fail' | 'without-id-token' = 'renew';
  /** How each request is answered before anything else is looked at. */
  override: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  givesRefreshTokens = true;
  readonly logins: SeenLogin[] = [];
  readonly requests: string[] = [];
  readonly tokenForms: URLSearchParams[] = [];
  refreshToken = '';
  readonly #server = createServer((request, response) => { void this.#answer(request, response); });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve); });
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What an ID token says when all is well. */
  claims(nonce: string | undefined): Json {
    const now = Math.floor(Date.now() / 1000);
    return { iss: this.url, aud: CLIENT_ID, iat: now, exp: now + 300, ...(nonce === undefined ? {} : { nonce }), ...this.person };
  }

  /** What the browser does at the provider: it goes there, and is sent back. Answers path and query of the way back. */
  logIn(location: string): string {
    const { searchParams: parameters } = new URL(location);
    const code = randomBytes(16).toString('hex');
    this.logins.push({ parameters, code });
    const back = new URL(parameters.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({ code, state: parameters.get('state') ?? '' }).toString();
    return `${back.pathname}${back.search}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    this.requests.push(`${request.method ?? ''} ${path}`);
    if (this.override?.(request, response) === true) return;
    const form = new URLSearchParams(await text(request));
    const [status, body] = this.#respond(path, form, request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #respond(path: string, form: URLSearchParams, request: IncomingMessage): [number, unknown] {
    switch (path) {
      case '/.well-known/openid-configuration': return [200, this.#metadata()];
      case '/jwks': return [200, { keys: this.keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' })) }];
      case '/token': return this.#token(form, request);
      case '/userinfo': return [200, this.userinfo ?? { sub: this.person['sub'] }];
      default: return [404, {}];
    }
  }

  #metadata(): Json {
    const { url } = this;
    return {
      issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks`, userinfo_endpoint: `${url}/userinfo`,
      end_session_endpoint: `${url}/logout`, response_types_supported: ['code'], subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'], ...this.metadata,
    };
  }

  #token(form: URLSearchParams, request: IncomingMessage): [number, unknown] {
    this.tokenForms.push(form);
    const credentials = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
    if (credentials !== `${CLIENT_ID}:${CLIENT_SECRET}`) return [401, { error: 'invalid_client' }];
    return form.get('grant_type') === 'refresh_token' ? this.#refresh(form) : this.#code(form);
  }

  #code(form: URLSearchParams): [number, unknown] {
    const login = this.logins.find(({ code }) => code === form.get('code'));
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (login === undefined || login.parameters.get('code_challenge') !== challenge) return [400, { error: 'invalid_grant' }];
    return [200, this.#tokens(this.makeIdToken(this.claims(login.parameters.get('nonce') ?? undefined)))];
  }

  #refresh(form: URLSearchParams): [number, unknown] {
    if (this.onRefresh === 'fail') return [503, {}];
    if (this.onRefresh === 'refuse' || form.get('refresh_token') !== this.refreshToken) return [400, { error: 'invalid_grant', error_description: 'the grant was revoked' }];
    return [200, this.#tokens(this.onRefresh === 'renew' ? this.makeIdToken(this.claims(undefined)) : undefined)];
  }

  #tokens(idToken: string | undefined): Json {
    this.refreshToken = randomBytes(16).toString('hex');
    return {
      access_token: 'access', token_type: 'Bearer', expires_in: 300, ...(idToken === undefined ? {} : { id_token: idToken }),
      ...(this.givesRefreshTokens ? { refresh_token: this.refreshToken } : {}),
    };
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const bytes of request) parts.push(bytes as Buffer);
  return Buffer.concat(parts).toString();
}
