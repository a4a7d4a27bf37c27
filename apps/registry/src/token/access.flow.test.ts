import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { digestOf } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';

let client: TestClient;

beforeAll(async () => {
  client = await TestClient.start();
});
afterAll(() => client.stop());

const all = ['pull', 'push', 'delete'] as const;

describe('who may do what', () => {
  test('without a token the answer says where to get one, for exactly what', async () => {
    const response = await client.call('PUT', '/v2/alpha/app/manifests/1', { token: '', body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${client.registry.url}/service/token",service="harbor-registry",scope="repository:alpha/app:pull,push"`);
    expect(await errorCode(response)).toBe('UNAUTHORIZED');
  });

  test.each([
    ['GET', '/v2/alpha/app/manifests/1', { 'alpha/app': ['push'] }],
    ['PUT', '/v2/alpha/app/manifests/1', { 'alpha/app': ['pull'] }],
    ['DELETE', '/v2/alpha/app/manifests/1', { 'alpha/app': ['pull', 'push'] }],
    ['PUT', '/v2/alpha/app/manifests/1', { 'alpha/other': ['pull', 'push'] }],
    ['POST', '/v2/alpha/app/blobs/uploads/', { 'alpha/app': ['pull'] }],
    ['GET', '/v2/_catalog', { 'alpha/app': ['pull', 'push', 'delete'] }],
    ['POST', `/v2/alpha/app/blobs/uploads/?mount=${digestOf(Buffer.from(''))}&from=bravo/secret`, { 'alpha/app': ['pull', 'push'] }],
  ] as const)('%s %s needs more than %j', async (method, path, grants) => {
    const response = await client.call(method, path, { token: await client.registry.token(grants) });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  test('B-14: what opens the API opens nothing here: neither a session, nor the token against forgery, nor a password', async () => {
    const sid = 'a'.repeat(43);
    await client.registry.database.execute(
      `WITH admin AS (INSERT INTO haven_user (id, external_id, username, sysadmin) VALUES (5000, 'boss', 'boss', true) RETURNING id)
       INSERT INTO session (id_hash, user_id, csrf_secret, expires_at) SELECT sha256($1), id, '', now() + interval '1 hour' FROM admin`,
      [Buffer.from(sid)],
    );
    const cookie = `sid=${sid}; _gorilla_csrf=${'b'.repeat(86)}`;
    const basic = `Basic ${Buffer.from('admin:Harbor12345').toString('base64')}`;
    for (const headers of [{ cookie }, { cookie, 'x-harbor-csrf-token': `${'c'.repeat(86)}==` }, { authorization: `Bearer ${sid}` }, { authorization: basic }, { cookie, authorization: basic }]) {
      for (const [method, path] of [['GET', '/v2/'], ['GET', '/v2/alpha/app/manifests/1'], ['PUT', '/v2/alpha/app/manifests/1'], ['POST', '/v2/alpha/app/blobs/uploads/']] as const) {
        expect((await client.call(method, path, { token: '', headers, ...(method === 'PUT' ? { body: '{}' } : {}) })).status).toBe(401);
      }
    }
  });

  test('B-14: nor does an ID token of an OpenID provider, whatever it says and whoever it says signed it', async () => {
    const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const signed = (header: object, claims: object, key: KeyObject): string => {
      const content = `${encoded({ typ: 'JWT', ...header })}.${encoded(claims)}`;
      return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    };
    const [{ kid }, ours] = client.developer.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object) as [{ kid: string }, object];
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const now = Math.floor(Date.now() / 1000);
    const person = { iss: 'https://login.example', aud: 'haven', sub: 'ada', nonce: 'n', iat: now, nbf: now, exp: now + 300, preferred_username: 'admin', groups: ['admins'] };
    const tokens = [
      signed({ alg: 'RS256', kid: 'first' }, person, rsa), signed({ alg: 'RS256', kid }, person, rsa), signed({ alg: 'ES256', kid }, person, ec),
      signed({ alg: 'RS256', kid }, { ...person, ...ours }, rsa), signed({ alg: 'ES256', kid }, { ...person, ...ours }, ec),
      client.developer.replace(/\.[^.]*\./, `.${encoded(person)}.`),
    ];
    for (const token of tokens) {
      for (const headers of [{ authorization: `Bearer ${token}` }, { authorization: `Basic ${Buffer.from(`ada:${token}`).toString('base64')}` }, { cookie: `sid=${token}` }]) {
        for (const [method, path] of [['GET', '/v2/'], ['GET', '/v2/alpha/app/manifests/1'], ['POST', '/v2/alpha/app/blobs/uploads/']] as const) {
          expect((await client.call(method, path, { token: '', headers })).status).toBe(401);
        }
      }
    }
    expect((await client.call('GET', '/v2/')).status).toBe(200); // the token that they were made from is good
  });

  test('I-05, I-07: what a browser could be made to ask for is answered as JSON that no other site may read', async () => {
    for (const path of ['/v2/<script>alert(1)</script>/manifests/x', '/v2/alpha/app/manifests/<script>', '/v2/alpha/app/blobs/<svg onload=alert(1)>', '/v2/%3Cscript%3E/manifests/x', '/v2/alpha/app/manifests/1?x=<script>']) {
      for (const origin of ['https://evil.test', 'null']) {
        for (const token of ['', client.developer]) {
          const response = await client.call('GET', path, { token, headers: { origin } });
          expect(response.status).toBeGreaterThanOrEqual(400);
          expect([response.headers.get('content-type'), response.headers.get('x-content-type-options')]).toEqual(['application/json', 'nosniff']);
          expect([response.headers.get('access-control-allow-origin'), response.headers.get('access-control-allow-credentials')]).toEqual([null, null]);
        }
      }
    }
    const preflight = await client.call('OPTIONS', '/v2/alpha/app/manifests/1', { token: '', headers: { origin: 'https://evil.test', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' } });
    expect([preflight.status < 300, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-methods')]).toEqual([false, null, null]);
  });

  test.each(['user:77', 'robot:77'])('%s is let in, and refused within seconds of being revoked, with a token that is still valid', async (subject) => {
    const token = await client.registry.token({ 'alpha/app': all }, subject);
    expect((await client.call('POST', '/v2/alpha/app/blobs/uploads/', { token })).status).toBe(202);
    await client.registry.database.execute(`INSERT INTO access_epoch (subject, not_before) VALUES ($1, now())`, [subject]);
    client.registry.broadcasts.publish('access-changed', {});
    let status = 202;
    for (let attempt = 0; attempt < 50 && status !== 401; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      status = (await client.call('POST', '/v2/alpha/app/blobs/uploads/', { token })).status;
    }
    expect(status).toBe(401);
  });

  test('an upload is unknown to everybody but the one who started it', async () => {
    const location = await client.startUpload();
    const stranger = await client.registry.token({ 'alpha/app': all }, 'user:2');
    for (const [method, path] of [['GET', location], ['PATCH', location], ['PUT', `${location}?digest=${digestOf(Buffer.from(''))}`], ['DELETE', location]] as const) {
      const response = await client.call(method, path, { token: stranger });
      expect([method, response.status, await errorCode(response)]).toEqual([method, 404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    expect((await client.call('GET', location.replace('alpha/app', 'alpha/other'))).status).toBe(404);
    expect((await client.call('DELETE', location)).status).toBe(204);
  });
});

test('no request is answered with more than it should know, and every answer has a request id', async () => {
  const response = await client.call('GET', '/v2/alpha/app/manifests/nope', { headers: { 'x-request-id': 'my-id-1' } });
  expect(response.headers.get('x-request-id')).toBe('my-id-1');
  expect((await client.call('TRACE' as 'GET', '/v2/alpha/app/manifests/v1').catch(() => ({ status: 405 }))).status).toBe(405);
  expect((await client.call('OPTIONS', '/v2/alpha/app/manifests/v1')).headers.get('allow')).toBe('GET, HEAD, PUT, DELETE');
});
