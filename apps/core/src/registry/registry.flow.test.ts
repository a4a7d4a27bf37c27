import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const REGISTRIES = '/api/v2.0/registries';
const MARKER = 'marker-Secret-4711';
const UNHEALTHY = /^the registry is unhealthy: /;

let core: TestCore;
let servers: TcpServer[] = [];
let sockets: Socket[] = [];
let seen: IncomingMessage[] = [];

beforeAll(async () => {
  core = await startTestCore({ environment: { HAVEN_OUTBOUND_ALLOW: '127.0.0.1' } });
  await core.addUser('alice');
  await core.addProject('alpha', { members: { alice: 1 } });
});
afterAll(() => core.stop());
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) await new Promise((resolve) => { server.close(resolve); });
  [servers, sockets, seen] = [[], [], []];
});

async function listen(server: TcpServer): Promise<string> {
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined); // Clients break off in these tests.
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A registry that takes alice:MARKER, or everybody who asks without. */
function registry(answer: RequestListener = (request, response) => {
  const wanted = `Basic ${Buffer.from(`key:${MARKER}`).toString('base64')}`;
  if (request.headers.authorization === wanted) response.end('{}');
  else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="r"' }).end();
}): Promise<string> {
  return listen(createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  }));
}

const admin = (method: string, path: string, json?: unknown): Promise<Answer> => core.call(method, path, { as: 'admin', ...(json === undefined ? {} : { json }) });
const messageOf = ({ body }: Answer): string => (body as { errors: { message: string }[] }).errors[0]?.message ?? '';
const credential = { type: 'basic', access_key: 'key', access_secret: MARKER };

async function create(name: string, url: string, more: object = {}): Promise<number> {
  const answer = await admin('POST', REGISTRIES, { name, type: 'docker-registry', url, ...more });
  expect([answer.status, answer.body]).toEqual([201, undefined]);
  return Number(/\/registries\/(\d+)$/.exec(answer.headers.get('location') ?? '')?.[1]);
}

describe('a registry', () => {
  test('is made known, listed, changed and forgotten; its secret is sealed and never given out (K-02, K-08)', async () => {
    const url = await registry();
    const id = await create('upstream', `${url}/`, { credential, description: 'd', insecure: true });
    const expected = { id, name: 'upstream', url, type: 'docker-registry', insecure: true, ca_certificate: '', description: 'd', status: 'healthy', credential: { type: 'basic', access_key: 'key', access_secret: '*****' } };
    expect((await admin('GET', `${REGISTRIES}/${id}`)).body).toMatchObject(expected);
    const list = await admin('GET', `${REGISTRIES}?name=UPST&q=type%3Ddocker-registry&sort=-name`);
    expect([list.body, list.headers.get('x-total-count')]).toEqual([[expect.objectContaining(expected)], '1']);
    expect(JSON.stringify(await core.database.query('SELECT * FROM registry'))).not.toContain(MARKER);
    expect((await admin('PUT', `${REGISTRIES}/${id}`, { name: 'renamed', description: 'e', access_secret: '*****' })).status).toBe(200);
    expect((await admin('GET', `${REGISTRIES}/${id}`)).body).toMatchObject({ name: 'renamed', description: 'e', credential: { access_secret: '*****' } });
    expect(seen.at(-1)?.headers.authorization).toContain('Basic ');
    const trail = JSON.stringify(await core.database.query(`SELECT payload FROM outbox WHERE type = 'audit.recorded'`));
    expect([trail.includes(MARKER), trail.includes('update registry: renamed')]).toEqual([false, true]);
    expect((await admin('DELETE', `${REGISTRIES}/${id}`)).status).toBe(200);
    expect((await admin('GET', `${REGISTRIES}/${id}`)).status).toBe(404);
  });

  test('a secret that was stored under another key or for another registry does not open, and nothing is sent', async () => {
    const url = await registry();
    const [one, other] = [await create('one', url, { credential }), await create('other', url, { credential })];
    await core.database.execute('UPDATE registry SET access_secret = (SELECT access_secret FROM registry WHERE id = $1) WHERE id = $2', [one, other]);
    const before = seen.length;
    expect((await admin('POST', `${REGISTRIES}/ping`, { id: other })).status).toBe(500);
    expect(seen).toHaveLength(before);
    for (const id of [one, other]) expect((await admin('DELETE', `${REGISTRIES}/${id}`)).status).toBe(200);
  });

  test('its secret stays with the address that it was given for', async () => {
    const [first, second] = [await registry(), await registry()];
    const id = await create('moving', first, { credential });
    seen.length = 0;
    expect((await admin('PUT', `${REGISTRIES}/${id}`, { url: second, access_secret: '*****' })).status).toBe(200);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect((await admin('GET', `${REGISTRIES}/${id}`)).body).toMatchObject({ url: second, credential: { access_key: 'key', access_secret: '' } });
    expect((await admin('DELETE', `${REGISTRIES}/${id}`)).status).toBe(200);
  });

  test('has a name of its own, and is found', async () => {
    const url = await registry();
    const id = await create('twice', url);
    const again = await admin('POST', REGISTRIES, { name: 'twice', type: 'harbor', url });
    expect([again.status, messageOf(again)]).toEqual([409, 'there is a registry called twice already; choose another name']);
    const other = await create('other', url);
    expect((await admin('PUT', `${REGISTRIES}/${other}`, { name: 'twice' })).status).toBe(409);
    const race = await Promise.all([1, 2, 3, 4].map(() => admin('POST', REGISTRIES, { name: 'race', type: 'harbor', url })));
    expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    for (const missing of ['2147483647', '0']) for (const method of ['GET', 'DELETE']) expect((await admin(method, `${REGISTRIES}/${missing}`)).status).toBe(404);
    expect((await admin('GET', `${REGISTRIES}/99999999999`)).status).toBe(422);
    for (const one of [id, other]) expect((await admin('DELETE', `${REGISTRIES}/${one}`)).status).toBe(200);
  });

  test('that something uses stays', async () => {
    const id = await create('used', await registry());
    await core.database.execute('CREATE TABLE user_of_registry (registry_id integer REFERENCES registry (id))');
    await core.database.execute('INSERT INTO user_of_registry VALUES ($1)', [id]);
    const refused = await admin('DELETE', `${REGISTRIES}/${id}`);
    expect([refused.status, messageOf(refused)]).toEqual([412, 'the registry used is in use; take it out of replication policies and proxy projects first']);
    await core.database.execute('DROP TABLE user_of_registry');
    expect((await admin('DELETE', `${REGISTRIES}/${id}`)).status).toBe(200);
  });

  test('is described by its kind', async () => {
    const id = await create('kind', await registry());
    expect((await admin('GET', `${REGISTRIES}/${id}/info`)).body).toMatchObject({ type: 'docker-registry', supported_triggers: ['manual', 'scheduled'] });
    expect((await admin('GET', `${REGISTRIES}/0/info`)).body).toMatchObject({ type: 'harbor', supported_triggers: ['manual', 'scheduled', 'event_based'] });
    expect((await admin('GET', '/api/v2.0/replication/adapters')).body).toEqual(['harbor', 'docker-registry']);
    expect(Object.keys((await admin('GET', '/api/v2.0/replication/adapterinfos')).body as object)).toEqual(['harbor', 'docker-registry']);
    expect((await admin('DELETE', `${REGISTRIES}/${id}`)).status).toBe(200);
  });

  test.each([
    [{ name: '' }, 'name'], [{ name: 'a'.repeat(65) }, 'name'], [{ name: 'a\nb' }, 'name'], [{ type: 'docker-hub' }, 'type'], [{ type: undefined }, 'type'], [{ type: 'constructor' }, 'type'],
    [{ credential: { type: 'x' } }, 'credential'], [{ credential: { access_key: 'a:b' } }, 'access_key'], [{ credential: { access_secret: 'a\r\nb' } }, 'access_secret'], [{ ca_certificate: 'no' }, 'ca_certificate'],
    ...['', 'file:///etc/passwd', 'gopher://a', 'javascript:alert(1)', 'http://', 'http://user:pass@a', 'http://a\tb', 'http://a\nb', 'a.example', 'http://a?b=c'].map((url) => [{ url }, 'url'] as [object, string]),
  ])('H-02, I-11: %j is refused', async (wrong, field) => {
    const answer = await admin('POST', REGISTRIES, { name: 'wrong', type: 'harbor', url: 'http://127.0.0.1:1', ...wrong });
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining(field)]);
    expect(await core.database.query(`SELECT 1 FROM registry WHERE name = 'wrong'`)).toEqual([]);
  });
});

describe('H-03: a ping tells nothing about what is there', () => {
  test('one sentence for closed ports, other protocols, wrong answers, redirects and private addresses; the secret is not sent on', async () => {
    const closed = await listen(createTcpServer());
    await new Promise((resolve) => { servers.pop()?.close(resolve); });
    const places = [
      closed, await listen(createTcpServer((socket) => { socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'); })), closed.replace('http:', 'https:'),
      await registry((_request, response) => { response.writeHead(500).end('upstream-text'); }),
      await registry((_request, response) => { response.writeHead(401).end('upstream-text'); }),
      await registry((_request, response) => { response.writeHead(302, { Location: `${closed}/v2/` }).end(); }),
      await registry((_request, response) => { response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${closed.replace('127.0.0.1', '127.0.0.2')}/token"` }).end(); }),
      'http://169.254.169.254', 'http://10.0.0.1', 'http://[::1]:1', 'http://localhost:1', 'http://[::ffff:a9fe:a9fe]',
    ];
    for (const url of places) {
      const answers = [
        await admin('POST', `${REGISTRIES}/ping`, { type: 'harbor', url, access_key: 'key', access_secret: MARKER }),
        await admin('POST', REGISTRIES, { name: 'unhealthy', type: 'harbor', url, credential }),
      ];
      for (const answer of answers) expect([url, answer.status, messageOf(answer)]).toEqual([url, 400, expect.stringMatching(UNHEALTHY)]);
    }
    expect(seen.map(({ headers }) => headers.authorization).filter((sent) => sent !== undefined)).toEqual([]);
  });

  test('a slow registry is given up after ten seconds, an endless one after its bound', async () => {
    const slow = await registry(() => undefined);
    const begun = performance.now();
    expect((await admin('POST', `${REGISTRIES}/ping`, { type: 'harbor', url: slow })).status).toBe(400);
    expect(performance.now() - begun).toBeLessThan(12_000);
    const endless = await registry((_request, response) => {
      const timer = setInterval(() => { response.write(Buffer.alloc(65_536)); }, 1);
      response.once('close', () => { clearInterval(timer); });
    });
    expect((await admin('POST', `${REGISTRIES}/ping`, { type: 'harbor', url: endless })).status).toBe(200);
  });

  test('a known registry is pinged where it is, whatever else the request says; 0 is none', async () => {
    const [known, elsewhere] = [await registry(), await registry()];
    const id = await create('pinged', known, { credential });
    seen.length = 0;
    const port = new URL(known).port;
    expect((await admin('POST', `${REGISTRIES}/ping`, { id, url: elsewhere, type: 'harbor' })).status).toBe(200);
    expect((await admin('POST', `${REGISTRIES}/ping`, { id, url: elsewhere, access_key: 'key', access_secret: 'wrong' })).status).toBe(400);
    expect(new Set(seen.map(({ headers }) => headers.host))).toEqual(new Set([`127.0.0.1:${port}`]));
    expect((await admin('POST', `${REGISTRIES}/ping`, { id: 0 })).status).toBe(400);
    expect((await admin('POST', `${REGISTRIES}/ping`, { id: 4711 })).status).toBe(404);
    expect((await admin('DELETE', `${REGISTRIES}/${id}`)).status).toBe(200);
  });
});

test('H-05, D-16: nobody else makes this server send anything', async () => {
  const url = await registry();
  for (const [who, status] of [[undefined, 401], ['alice', 403]] as const) {
    for (const [method, path] of [['POST', ''], ['POST', '/ping'], ['PUT', '/1'], ['GET', ''], ['GET', '/1'], ['DELETE', '/1'], ['GET', '/0/info']] as const) {
      const answer = await core.call(method, `${REGISTRIES}${path}`, { ...(who === undefined ? {} : { as: who }), ...(method === 'GET' || method === 'DELETE' ? {} : { json: { name: 'x', type: 'harbor', url } }) });
      expect([method, path, answer.status]).toEqual([method, path, status]);
    }
  }
  expect(seen.length).toBe(0);
});
