import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Haven, until } from './haven.mjs';
import { digestOf, MEDIA, randomBlob, randomImage } from './image/synthetic.mjs';
import { expectStatus } from './registry/oci-client.mjs';
import { rawRequest, sendRaw } from './registry/raw-http.mjs';

const MIB = 1024 * 1024;
/** Seconds that this platform waits for the headers, and for the bodies that are no blobs; shorter than by default, to save time. */
const PATIENCE = 6;

/** Requests that are wrong already as bytes: names, headers, framing, pace. */
describe('hostile connections', () => {
  let haven, oci, project, repository, token, image;

  beforeAll(async () => {
    haven = await Haven.start({ env: { HAVEN_HEADERS_SECONDS: String(PATIENCE), HAVEN_BODY_SECONDS: String(PATIENCE) } });
    const dave = await haven.user('dave');
    project = await haven.project({ members: { dave: 'developer' } });
    repository = `${project}/app`;
    oci = haven.oci(dave);
    image = randomImage({ layers: 1, size: 50_000 });
    await oci.pushImage(repository, '1', image);
    token = await oci.token(`repository:${repository}:pull,push`);
  }, 180_000);

  afterEach(async () => {
    const started = Date.now();
    const response = await fetch(`${haven.url}/api/v2.0/ping`, { signal: AbortSignal.timeout(5_000) });
    expectStatus(response, 200, 'ping after the test');
    if (Date.now() - started > 1_000) throw new Error('the platform answers too slowly after the test');
  });

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const access = () => ({ Host: haven.host, Authorization: `Bearer ${token}` });
  const ask = async (method, target, headers = {}, options = { quietMs: 200 }) => (await sendRaw(haven.url, rawRequest(method, target, { ...access(), ...headers }), options)).answers[0];

  describe('names', () => {
    const PATHS = [
      'PROJECT/..', 'PROJECT/../PROJECT/app', 'PROJECT/./app', 'PROJECT/a..b/../x', 'PROJECT/_uploads', 'PROJECT/.git', 'PROJECT//app', '/PROJECT/app', 'PROJECT%2Fapp', 'PROJECT%2fapp',
      'PROJECT%252Fapp', 'PROJECT/app%00', 'PROJECT/%2e%2e/app', 'PROJECT/..%2fapp', 'PROJECT/APP', 'Project/app', 'PROJECT/app.', 'PROJECT/app-', 'PROJECT/-app', 'PROJECT/a___b', 'PROJECT/app%20',
      'PROJECT/%E0%A4%A', 'PROJECT/\xd0\xb0lpha', 'PROJECT/app;x', 'PROJECT/app\\x', 'PROJECT/app/', `PROJECT/${'a'.repeat(300)}`, `PROJECT${'/a'.repeat(150)}`, 'app', '..', '%2e%2e',
    ];

    test.each(PATHS)('C-02, C-16: repository %j is refused, for reading and writing', async (path) => {
      const name = path.replaceAll('PROJECT', project);
      for (const [method, target] of [['GET', `/v2/${name}/manifests/1`], ['GET', `/v2/${name}/tags/list`], ['POST', `/v2/${name}/blobs/uploads/`], ['DELETE', `/v2/${name}/manifests/1`]]) {
        const answer = await ask(method, target, method === 'POST' ? { 'Content-Length': 0 } : {}, { quietMs: 60 });
        expect([400, 404]).toContain(answer.status);
        expect(answer.body).toMatch(/^\{"errors":\[\{"code":"[A-Z_]+","message":"/);
        expect(answer.body).not.toMatch(/ at .*\.js|node_modules|\/tmp\//);
      }
    });

    test('300 characters are told from 255', async () => {
      const long = `${project}/${'a'.repeat(254 - project.length)}`;
      expect(long).toHaveLength(255);
      await oci.pushImage(long, '1', image);
      const answer = await ask('GET', `/v2/${long}a/manifests/1`);
      expect([answer.status, JSON.parse(answer.body).errors[0].code]).toEqual([400, 'NAME_INVALID']);
    });

    test.each([
      ['manifests', 'sha256:../../etc/passwd'], ['manifests', `sha256:${'a'.repeat(63)}/`], ['blobs', 'sha256:../../etc/passwd'], ['blobs', `sha256:${'a'.repeat(63)}/`], ['blobs', `sha256:${'a'.repeat(63)}%2f`], ['blobs', `SHA256:${'a'.repeat(64)}`],
      ['manifests', '..'], ['manifests', '.hidden'], ['manifests', '-x'], ['manifests', 'a'.repeat(129)], ['manifests', 'a%00'], ['manifests', '%2e%2e'], ['blobs', 'uploads/a/b'], ['blobs', 'uploads/a%2fb'], ['blobs', 'uploads/%00'], ['blobs', 'uploads/../../x'],
    ])('C-02: %s/%s is refused', async (kind, reference) => {
      for (const method of kind === 'manifests' ? ['GET', 'HEAD', 'PUT', 'DELETE'] : ['GET', 'HEAD', 'DELETE', 'PATCH', 'PUT']) {
        const answer = await ask(method, `/v2/${repository}/${kind}/${reference}`, method === 'PUT' || method === 'PATCH' ? { 'Content-Length': 0 } : {}, { quietMs: 60 });
        expect([method, answer.status, [400, 404, 405].includes(answer.status)]).toEqual([method, answer.status, true]);
      }
    });

    test('C-16: letters that look alike, and other ways to write one, are no names', async () => {
      for (const name of ['\u0430lpha/app', 'ALPHA/app', '\uff41lpha/app', 'alph\u00e1/app', 'alpha\u0301/app', 'alpha /app', 'alpha/app ', 'alpha/\u200bapp', '\u212alpha/app', 'alpha__/app', 'alpha/app__']) {
        for (const target of [Buffer.from(`/v2/${name}/manifests/1`, 'utf8').toString('latin1'), `/v2/${encodeURI(name)}/manifests/1`]) {
          const answer = await ask('GET', target.replaceAll(' ', '%20'), {}, { quietMs: 60 });
          expect([target, [400, 404].includes(answer.status)]).toEqual([target, true]);
        }
      }
    });

    test('C-02: nothing came into being outside the storage layout', () => {
      const storage = join(haven.platform.dataDir, 'storage');
      const top = readdirSync(storage).toSorted();
      expect(top.every((name) => ['docker', 'haven'].includes(name))).toBe(true);
      const files = readdirSync(storage, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(storage.length + 1));
      const strange = files.filter((name) => !/^docker\/registry\/v2\/blobs\/sha256\/[0-9a-f]{2}\/[0-9a-f]{64}\/data$|^haven\//.test(name));
      expect(strange).toEqual([]);
    });
  });

  describe('methods', () => {
    test.each(['OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'PURGE', 'LINK', 'get', 'G\u00cbT'])('C-12: %s is not allowed', async (method) => {
      const answer = await ask(method, `/v2/${repository}/manifests/1`);
      expect([400, 404, 405, 501]).toContain(answer.status);
      expect(answer.head + answer.body).not.toContain(token);
    });

    test('C-12: a method in a header or in the query changes nothing', async () => {
      for (const [target, headers] of [[`/v2/${repository}/manifests/1`, { 'X-HTTP-Method-Override': 'DELETE', 'X-Method-Override': 'DELETE' }], [`/v2/${repository}/manifests/1?_method=DELETE`, {}]]) {
        expect((await ask('GET', target, headers)).status).toBe(200);
      }
      const posted = await ask('POST', `/v2/${repository}/manifests/1?_method=DELETE`, { 'X-HTTP-Method-Override': 'DELETE', 'Content-Length': 0 });
      expect([404, 405]).toContain(posted.status);
      expect((await ask('DELETE', `/v2/${repository}/manifests/1?_method=GET`, { 'X-HTTP-Method-Override': 'GET' })).status).toBe(401);
      expect((await oci.head(repository, 'manifests', '1')).status).toBe(200);
    });
  });

  describe('headers', () => {
    test.each([
      ['one of 64 KiB', { 'X-Large': 'x'.repeat(65_536) }], ['5,000 of them', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`X-${i}`, 'y']))],
      ['1,000 cookies', { Cookie: Array(1_000).fill('a=b') }], ['1 MiB in all', Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`X-${i}`, 'y'.repeat(4_000)]))],
    ])('M-05: %s: refused', async (_, headers) => {
      const { answers, milliseconds } = await sendRaw(haven.url, rawRequest('GET', `/v2/${repository}/manifests/1`, { ...access(), ...headers }), { quietMs: 300 });
      expect([400, 431, undefined]).toContain(answers[0]?.status);
      expect(milliseconds).toBeLessThan(5_000);
    });

    test('M-05: an address of 100 KiB, a query of 10,000 pairs: refused', async () => {
      for (const target of [`/v2/${project}/${'a'.repeat(100_000)}/manifests/1`, `/v2/${repository}/tags/list?${'a=b&'.repeat(10_000)}`]) {
        expect([400, 414, 431]).toContain((await ask('GET', target)).status);
      }
    });

    test('L-07: no answer, good or bad, says what serves it or where that is', async () => {
      for (const [method, target] of [['GET', '/v2/'], ['GET', `/v2/${repository}/manifests/1`], ['GET', `/v2/${repository}/manifests/none`], ['GET', '/v2/UPPER/x/tags/list'], ['GET', '/api/v2.0/ping'], ['GET', '/api/v2.0/none'], ['GET', '/none'], ['PURGE', '/v2/'], ['GET', '/api/version']]) {
        const answer = await ask(method, target, {}, { quietMs: 60 });
        expect([target, /^(?:server|via|x-powered-by|x-haven-[a-z-]*):/im.test(answer.head), /fastify|node(?:js)?[/ ]|nestjs|\/tmp\/|postgres|redis/i.test(answer.body)]).toEqual([target, false, false]);
      }
    });

    test('internal headers of a client are not believed', async () => {
      const inside = { 'X-Haven-Send-File': '1', 'X-Haven-File': 'docker/registry/v2/blobs/sha256/aa/x/data;0-9', 'X-Haven-Subject': 'user:1' };
      const answer = await ask('GET', `/v2/${repository}/blobs/${image.layers[0].digest}`, inside);
      expect([answer.status, /x-haven-/i.test(answer.head)]).toEqual([200, false]);
      expect(digestOf(Buffer.from(answer.body, 'latin1'))).toBe(image.layers[0].digest);
    });
  });

  describe('request smuggling', () => {
    const hidden = () => rawRequest('DELETE', `/v2/${repository}/manifests/1`, access());

    test.each([
      ['both lengths', { 'Content-Length': '6', 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'], ['two lengths', { 'Content-Length': ['0', '30'] }, ''],
      ['an unknown coding', { 'Transfer-Encoding': 'xchunked' }, ''], ['chunked twice', { 'Transfer-Encoding': ['chunked', 'chunked'] }, '0\r\n\r\n'], ['identity, chunked', { 'Transfer-Encoding': 'identity, chunked' }, '0\r\n\r\n'],
      ['a blank before the colon', { 'Content-Length ': '0' }, ''], ['a folded line', { 'X-A': 'b\r\n Content-Length: 30' }, ''], ['a bare line feed', { 'X-A': 'b\nContent-Length: 30' }, ''],
      ['a chunk of -1', { 'Transfer-Encoding': 'chunked' }, '-1\r\n\r\n'], ['a chunk of 2^64', { 'Transfer-Encoding': 'chunked' }, '10000000000000000\r\n'], ['a chunk extension of 64 KiB', { 'Transfer-Encoding': 'chunked' }, `5;${'x'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`],
    ])('C-19: %s: one answer, the connection ends, the hidden request is not carried out', async (_, headers, body) => {
      const { answers } = await sendRaw(haven.url, `${rawRequest('POST', `/v2/${repository}/blobs/uploads/`, { ...access(), ...headers })}${body}${hidden()}`, { quietMs: 300 });
      expect(answers.slice(1).filter((answer) => answer.status < 400)).toEqual([]);
      expect((await oci.head(repository, 'manifests', '1')).status).toBe(200);
    });

    test('M-21: garbage, half requests and HTTP/2 end the connection', async () => {
      for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '\0\0\0\0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', `GET /v2/ HTTP/1.1\r\n\r\n`]) {
        const { answers, closed } = await sendRaw(haven.url, bytes, { quietMs: 300 });
        expect(closed || answers.every((answer) => answer.status >= 400)).toBe(true);
      }
    });
  });

  describe('pace', () => {
    const openConnections = (count, start) => Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
      const { hostname, port } = new URL(haven.url);
      const socket = connect(Number(port), hostname, () => {
        socket.write(start);
        resolve(socket);
      });
      socket.on('error', () => socket.destroy());
      socket.once('error', reject);
    })));

    test('M-06: 500 clients that never finish their headers hinder nobody, and are sent away', async () => {
      const sockets = await openConnections(500, `GET /v2/${repository}/manifests/1 HTTP/1.1\r\nHost: ${haven.host}\r\nX-Slow: `);
      const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('x')), 2_000);
      try {
        for (let i = 0; i < 20; i += 1) {
          const started = Date.now();
          expect((await oci.getManifest(repository, '1')).status).toBe(200);
          expect(Date.now() - started).toBeLessThan(1_000);
        }
        await until('the slow clients are sent away', () => sockets.every((socket) => socket.destroyed || socket.readableEnded), { seconds: PATIENCE + 20, every: 500 });
      } finally {
        clearInterval(drip);
        for (const socket of sockets) socket.destroy();
      }
    }, 60_000);

    test('M-06: a manifest that trickles in is given up; an upload that trickles in is taken', async () => {
      const blob = randomBlob(2_000);
      const location = await oci.startUpload(repository);
      const pieces = Array.from({ length: 20 }, (_, i) => blob.bytes.subarray(i * 100, (i + 1) * 100));
      const head = rawRequest('PATCH', location, { ...access(), 'Content-Length': blob.size });
      const slow = await sendRaw(haven.url, [head, ...pieces], { pauseMs: 450, quietMs: 2_000 });
      expect(slow.milliseconds).toBeGreaterThan(PATIENCE * 1_000);
      expect(slow.answers[0].status).toBe(202);
      expect((await oci.finishUpload(repository, location, blob.digest)).status).toBe(201);
      const started = Date.now();
      const manifest = rawRequest('PUT', `/v2/${repository}/manifests/slow`, { ...access(), 'Content-Type': MEDIA.image, 'Content-Length': image.size });
      const trickle = await sendRaw(haven.url, [manifest, ...Array(40).fill(' ')], { pauseMs: 500, quietMs: 30_000 });
      expect([trickle.answers.map((answer) => answer.status), trickle.closed]).toEqual([[408], true]);
      expect(Date.now() - started).toBeLessThan((PATIENCE + 8) * 1_000);
      expect((await oci.head(repository, 'manifests', 'slow')).status).toBe(404);
    }, 60_000);

    test('M-06: readers that stop reading a large blob do not fill the memory', async () => {
      const blob = randomBlob(64 * MIB);
      expectStatus(await oci.pushBlob(repository, blob), 201, 'large blob');
      const before = haven.residentMiB();
      const sockets = await openConnections(40, rawRequest('GET', `/v2/${repository}/blobs/${blob.digest}`, access()));
      try {
        for (const socket of sockets) socket.once('readable', () => socket.pause());
        await delay(3_000);
        const after = haven.residentMiB();
        for (const name of ['proxy', 'registry']) expect(after[name] - before[name]).toBeLessThan(150);
        const whole = Buffer.from(await (await oci.getBlob(repository, blob.digest)).arrayBuffer());
        expect(digestOf(whole)).toBe(blob.digest);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
    });

    test('clients that vanish in the middle of pushes leave nothing behind but their sessions', async () => {
      const blob = randomBlob(4 * MIB);
      for (let i = 0; i < 20; i += 1) {
        const location = await oci.startUpload(repository);
        const { hostname, port } = new URL(haven.url);
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined); // this client is the one that breaks off
        socket.write(rawRequest('PATCH', location, { ...access(), 'Content-Length': blob.size }));
        socket.write(blob.bytes.subarray(0, MIB));
        await delay(10);
        socket.resetAndDestroy();
      }
      expect((await oci.head(repository, 'blobs', blob.digest)).status).toBe(404);
      expect((await oci.pushBlob(repository, blob)).status).toBe(201);
    });
  });

  describe('paging', () => {
    test.each(['-1', 'abc', '1e9', '0x10', '1e400', '%205', '99999999999999999999', '9223372036854775807', '1.5', ''])('M-01: n=%s is refused or cut down', async (n) => {
      const answer = await ask('GET', `/v2/${repository}/tags/list?n=${n}`);
      expect([200, 400]).toContain(answer.status);
      const code = answer.status === 400 ? JSON.parse(answer.body).errors[0].code : 'PAGINATION_NUMBER_INVALID';
      expect(code).toBe('PAGINATION_NUMBER_INVALID');
    });

    test('n=0 is an empty page without a next one; an unknown last goes on in order', async () => {
      const none = await oci.request('GET', `/v2/${repository}/tags/list?n=0`);
      expect([none.status, (await none.json()).tags, none.headers.get('link')]).toEqual([200, [], null]);
      const after = await oci.request('GET', `/v2/${repository}/tags/list?last=0nothing`);
      expect([after.status, (await after.json()).tags]).toEqual([200, ['1']]);
      expect([200, 400, 414]).toContain((await ask('GET', `/v2/${repository}/tags/list?last=${'z'.repeat(6_000)}`)).status);
    });
  });

  describe('ranges of blobs', () => {
    test.each([['bytes=-0', [416]], ['bytes=999999-', [416]], ['bytes=5-1', [416]], ['bytes=a-b', [200, 400, 416]], [`bytes=${Array(1_000).fill('0-1').join(',')}`, [200, 400, 416]], ['lines=0-5', [200]], ['bytes=0-0', [206]]])('M-20: %s', async (range, statuses) => {
      const answer = await ask('GET', `/v2/${repository}/blobs/${image.layers[0].digest}`, { Range: range.slice(0, 7_000) });
      expect(statuses).toContain(answer.status);
      expect(answer.body.length).toBeLessThan(60_000);
    });
  });
});
