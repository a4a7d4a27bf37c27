import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const MARKER = 'marker-Secret-4711';

let core: TestCore;
let closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => { core = await startTestCore({ environment: { HAVEN_OUTBOUND_ALLOW: '127.0.0.0/8,localhost' } }); });
afterAll(() => core.stop());
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

/** A host that remembers what it was sent. */
interface Host {
  readonly url: string;
  readonly seen: IncomingMessage[];
}

async function host(answer: RequestListener, { address = '127.0.0.1', tls }: { readonly address?: string; readonly tls?: { readonly cert: string; readonly key: string } } = {}): Promise<Host> {
  const seen: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    seen.push(request);
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  await new Promise<void>((resolve) => { (server as Server).listen(0, address, resolve); });
  closing.push(() => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  }));
  const { port } = server.address() as AddressInfo;
  return { url: tls === undefined ? `http://${address}:${port}` : `https://localhost:${port}`, seen };
}

/** Answers everything with a challenge to fetch a token there. */
const challenging = (realm: string): RequestListener => (_request, response) => { response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${realm}",service="registry"` }).end(); };
const welcoming: RequestListener = (_request, response) => { response.end('{"token":"abc"}'); };
const ping = (url: string, more: object = {}): Promise<Answer> => core.call('POST', '/api/v2.0/registries/ping', { as: 'admin', json: { type: 'docker-registry', url, credential_type: 'basic', access_key: 'key', access_secret: MARKER, ...more } });
const secretsSeen = ({ seen }: Host): string[] => seen.flatMap(({ headers }) => (headers.authorization?.startsWith('Basic ') === true ? [Buffer.from(headers.authorization.slice(6), 'base64').toString()] : []));

describe('H-07: credentials are not sent over TLS that nobody vouches for', () => {
  test('neither to the registry, nor to where it gives tokens; and to both once they are trusted', async () => {
    const tls = selfSigned('localhost');
    const registry = await host((request, response) => {
      if (request.url?.startsWith('/token') === true || request.headers.authorization === 'Bearer abc') return welcoming(request, response);
      return challenging(`${registry.url}/token`)(request, response);
    }, { tls });
    expect((await ping(registry.url)).status).toBe(400);
    expect((await ping(registry.url, { ca_certificate: selfSigned('localhost').cert })).status).toBe(400);
    expect(registry.seen).toEqual([]);
    const plain = await host(challenging(`${registry.url}/token`), { address: '127.0.0.1' });
    expect((await ping(plain.url.replace('127.0.0.1', 'localhost'))).status).toBe(400);
    expect(registry.seen).toEqual([]);
    expect((await ping(registry.url, { ca_certificate: tls.cert })).status).toBe(200);
    expect(secretsSeen(registry)).toEqual([`key:${MARKER}`]);
  });
});

describe('H-11: nor to another host than the registry', () => {
  test('which a challenge names', async () => {
    const elsewhere = await host(welcoming, { address: '127.0.0.2' });
    for (const realm of [`${elsewhere.url}/token`, elsewhere.url.replace('http:', 'HTTP:'), `http://user:pass@${new URL(elsewhere.url).host}/token`, `http://127.0.0.1@${new URL(elsewhere.url).host}/token`, `${elsewhere.url}\\@127.0.0.1/token`, `//${new URL(elsewhere.url).host}/token`]) {
      const registry = await host(challenging(realm));
      expect([realm, (await ping(registry.url)).status]).toEqual([realm, 400]);
      expect([realm, secretsSeen(registry)]).toEqual([realm, []]);
    }
    expect(elsewhere.seen).toEqual([]);
  });

  test('nor in clear, when the registry has TLS', async () => {
    const tls = selfSigned('localhost');
    const plain = await host(welcoming);
    const registry = await host((request, response) => { challenging(`${plain.url.replace('127.0.0.1', 'localhost')}/token`)(request, response); }, { tls });
    expect((await ping(registry.url, { ca_certificate: tls.cert })).status).toBe(400);
    expect([plain.seen, secretsSeen(registry)]).toEqual([[], []]);
  });
});

describe('H-12: redirects are not followed, with or without credentials', () => {
  test.each([301, 302, 303, 307, 308])('%i', async (status) => {
    const elsewhere = await host(welcoming, { address: '127.0.0.2' });
    const redirecting: RequestListener = (_request, response) => { response.writeHead(status, { Location: `${elsewhere.url}/v2/` }).end(); };
    expect((await ping((await host(redirecting)).url)).status).toBe(400);
    const late = await host((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="r"' }).end();
      else redirecting(request, response);
    });
    expect((await ping(late.url)).status).toBe(400);
    const tokens = await host((request, response) => {
      if (request.url?.startsWith('/token') === true) redirecting(request, response);
      else challenging(`${tokens.url}/token`)(request, response);
    });
    expect((await ping(tokens.url)).status).toBe(400);
    expect(elsewhere.seen).toEqual([]);
  });
});
