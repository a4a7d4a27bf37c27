import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SelfSigned } from '@haven/runtime';

/** Somebody whom the proxy knows. */
export interface ProxyPerson {
  readonly password: string;
  /** What the review says of them. */
  readonly user: Readonly<Record<string, unknown>>;
}

/** How a request is answered before anything else is looked at; false leaves it to the usual answer. */
export type Override = (request: IncomingMessage, response: ServerResponse, body: string) => boolean;

/** An authenticating proxy with its token review, over TLS; it does, and says, what a test wants. */
export class ProxyStub {
  readonly people = new Map<string, ProxyPerson>();
  /** What each request was: its path and what it showed. */
  readonly requests: { readonly path: string; readonly authorization: string; readonly body: string }[] = [];
  override: { login?: Override | undefined; review?: Override | undefined } = {};
  readonly #tokens = new Map<string, string>();
  readonly #sockets = new Set<Socket>();
  readonly #server;

  constructor(readonly certificate: SelfSigned) {
    this.#server = createServer(certificate, (request, response) => { void this.#answer(request, response); });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve); });
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(name: string, user: Readonly<Record<string, unknown>> = {}, password = `Proxy-${name}-1`): string {
    this.people.set(name, { password, user: { username: name, uid: `uid-of-${name}`, groups: [], ...user } });
    return password;
  }

  /** A token of somebody's, as a command line client gets one from the proxy. */
  token(name: string): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, name);
    return token;
  }

  revoke(token: string): void {
    this.#tokens.delete(token);
  }

  /** The settings with which core speaks to it. */
  settings(): Readonly<Record<string, unknown>> {
    return {
      http_authproxy_endpoint: `${this.url}/login`, http_authproxy_tokenreview_endpoint: `${this.url}/apis/authentication.k8s.io/v1beta1/tokenreviews`,
      http_authproxy_verify_cert: true, http_authproxy_server_certificate: this.certificate.cert,
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const path = request.url ?? '';
    const { authorization = '' } = request.headers;
    this.requests.push({ path, authorization, body });
    const which = path === '/login' ? 'login' : 'review';
    if (this.override[which]?.(request, response, body) === true) return;
    const [status, answer] = which === 'login' ? this.#login(authorization) : this.#review(authorization, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #login(authorization: string): [number, unknown] {
    const [name = '', ...rest] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString().split(':');
    const known = this.people.get(name);
    return known?.password === rest.join(':') ? [200, { session_id: this.token(name) }] : [401, {}];
  }

  /** As Kubernetes does: who asks shows the token itself, and an unknown one is no error. */
  #review(authorization: string, body: string): [number, unknown] {
    const { apiVersion, kind, spec } = JSON.parse(body) as { apiVersion: string; kind: string; spec: { token: string } };
    if (authorization !== `Bearer ${spec.token}` || kind !== 'TokenReview') return [400, {}];
    const person = this.people.get(this.#tokens.get(spec.token) ?? '');
    const status = person === undefined ? { authenticated: false, user: {} } : { authenticated: true, user: person.user };
    return [201, { apiVersion, kind, metadata: { creationTimestamp: null }, spec, status }];
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const bytes of request) parts.push(bytes as Buffer);
  return Buffer.concat(parts).toString();
}
