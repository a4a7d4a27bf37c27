import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Haven } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';
import { drained } from './registry/oci-client.mjs';
import { rawRequest, sendRaw } from './registry/raw-http.mjs';
import { decoded, foreignKey, jwt, stolenSigningKey } from './registry/token-forge.mjs';

/** Section B of the security cases: nobody gets in with a token that this platform did not give for exactly this. */
describe('hostile tokens', () => {
  let haven, dave, eve, gina, project, repository, token, key, header, payload, image;

  beforeAll(async () => {
    haven = await Haven.start();
    [dave, eve, gina] = await Promise.all(['dave', 'eve', 'gina'].map((name) => haven.user(name)));
    project = await haven.project({ members: { dave: 'developer', gina: 'guest' } });
    repository = `${project}/app`;
    image = randomImage();
    await haven.oci(dave).pushImage(repository, '1', image);
    token = await haven.oci(dave).token(`repository:${repository}:pull`);
    key = await stolenSigningKey(haven.platform);
    ({ header, payload } = decoded(token));
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const pullWith = async (given) => {
    const response = await drained(await haven.oci().getManifest(repository, '1', { token: given }));
    return [response.status, response.headers.get('www-authenticate')?.slice(0, 6)];
  };
  const OPEN = [200, undefined];
  const SHUT = [401, 'Bearer'];
  const now = () => Math.floor(Date.now() / 1000);
  /** The good token's content with changes, signed with the platform's own key; undefined removes a claim. */
  const resigned = (changes, head = {}) => jwt({ ...header, ...head }, JSON.stringify({ ...payload, ...changes }), { key: key.privateKey });

  test('the token is good, and so is the same content signed anew: the tests below change one thing each', async () => {
    expect(await pullWith(token)).toEqual(OPEN);
    expect(await pullWith(resigned({}))).toEqual(OPEN);
    expect(await pullWith(resigned({ aud: ['other', 'harbor-registry'] }))).toEqual(OPEN);
  });

  test('a bit flipped anywhere closes it', async () => {
    const parts = token.split('.');
    for (const [i, part] of parts.entries()) {
      for (const at of [0, Math.floor(part.length / 2), part.length - 3]) {
        const changed = [...parts];
        changed[i] = `${part.slice(0, at)}${part[at] === 'A' ? 'B' : 'A'}${part.slice(at + 1)}`;
        expect(await pullWith(changed.join('.'))).toEqual(SHUT);
      }
    }
  });

  test.each([
    ['expired', { exp: 1_000_000_000, iat: 999_999_000, nbf: 999_999_000, iat_ms: 999_999_000_000 }],
    ['another audience', { aud: 'other' }], ['an empty audience', { aud: [] }], ['a list without us', { aud: ['other'] }], ['no audience', { aud: undefined }],
    ['a number as audience', { aud: 5 }], ['another issuer', { iss: 'harbor-token-issuer' }], ['no issuer', { iss: undefined }],
    ['no time of issue', { iat: undefined }], ['no expiry', { exp: undefined }], ['a text as expiry', { exp: '9999999999' }], ['a negative time', { iat: -1 }],
    ['issued in 2100', { iat: 4_102_444_800, nbf: 4_102_444_800, exp: 4_102_446_600, iat_ms: 4_102_444_800_000 }],
    ['a year of life', { exp: 9_999_999_999 }], ['not valid before 2100', { nbf: 4_102_444_800 }],
    ['no subject', { sub: undefined }], ['a subject of another kind', { sub: 'root' }], ['access that is no list', { access: {} }], ['access to nothing', { access: [] }],
    ['a wildcard name', { access: [{ type: 'repository', name: '*', actions: ['pull'], project: 1 }] }],
    ['every action', { access: [{ type: 'repository', name: 'any', actions: ['*'], project: 1 }] }],
  ])('B-04, B-05: rightly signed, but %s', async (_, changes) => {
    expect(await pullWith(resigned(changes))).toEqual(SHUT);
  });

  test.each(['none', 'None', 'nOnE', '', 'HS256', 'RS256', 'ES384', 'es256', undefined, 5, ['ES256']])('B-03: algorithm %j', async (alg) => {
    expect(await pullWith(jwt({ ...header, alg }, payload, { key: key.privateKey }))).toEqual(SHUT);
    expect(await pullWith(jwt({ ...header, alg }, payload, { signature: '' }))).toEqual(SHUT);
    expect(await pullWith(jwt({ ...header, alg }, payload, { secret: JSON.stringify(key.publicJwk) }))).toEqual(SHUT);
  });

  test.each(['../../dev/null', "' OR '1'='1", '__proto__', 'constructor', 'toString', '', 5, null, 'x'.repeat(5_000)])('B-02: key id %j', async (kid) => {
    expect(await pullWith(jwt({ ...header, kid }, payload, { key: foreignKey() }))).toEqual(SHUT);
  });

  test('a foreign key under our key\'s name, a key brought along, and zeros as signature', async () => {
    const foreign = foreignKey();
    const jwk = { ...key.publicJwk };
    expect(await pullWith(jwt(header, payload, { key: foreign }))).toEqual(SHUT);
    for (const extra of [{ jwk }, { jku: 'http://127.0.0.1:1/keys' }, { x5u: 'http://127.0.0.1:1/' }, { crit: ['exp'] }, { b64: false, crit: ['b64'] }, { zip: 'DEF' }]) {
      expect(await pullWith(jwt({ ...header, ...extra }, payload, { key: foreign }))).toEqual(SHUT);
    }
    expect(await pullWith(jwt(header, payload, { signature: Buffer.alloc(64).toString('base64url') }))).toEqual(SHUT);
    expect(await pullWith(jwt(header, '{"not json', { key: key.privateKey }))).toEqual(SHUT);
  });

  test.each([
    ['nothing', ''], ['dots', '.'.repeat(20_000)], ['many parts', Array(5_000).fill('a').join('.')], ['two parts', 'a.b'], ['five parts, as encrypted tokens have', 'a.b.c.d.e'],
    ['20 KiB of one part', `${'A'.repeat(20_000)}.e30.e30`],
  ])('B-07, B-08: %s in place of a token is answered quickly', async (_, given) => {
    const started = Date.now();
    const { answers } = await sendRaw(haven.url, rawRequest('GET', `/v2/${repository}/manifests/1`, { Host: haven.host, Authorization: `Bearer ${given}` }), { quietMs: 200 });
    expect([400, 401, 431]).toContain(answers[0].status);
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  describe('scopes', () => {
    const granted = async (account, ...scopes) => {
      const response = await haven.oci(account).requestToken(scopes);
      expect(response.status).toBe(200);
      const { access } = decoded((await response.json()).token).payload;
      return Object.fromEntries(access.map((entry) => [entry.name, entry.actions.toSorted()]));
    };

    test('B-09: a guest who asks for everything gets the right to pull', async () => {
      expect(await granted(gina, `repository:${repository}:pull,push,delete,*`)).toEqual({ [repository]: ['pull'] });
    });

    test('B-10: what was not asked for is not given: a pull token does not push', async () => {
      expect(await granted(dave, `repository:${repository}:pull`)).toEqual({ [repository]: ['pull'] });
      const response = await haven.oci().putManifest(repository, 'new', image, { token });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain(`scope="repository:${repository}:pull,push"`);
    });

    test('B-11: a token for one repository opens no other of the same project', async () => {
      await haven.oci(dave).pushImage(`${project}/other`, '1', image);
      const response = await haven.oci().getManifest(`${project}/other`, '1', { token });
      expect(response.status).toBe(401);
    });

    test.each([
      ['repository:../PROJECT/app:pull'], ['repository:PROJECT/../PROJECT/app:pull'], ['repository:%2e%2e/app:pull'], ['repository:ghost/app:pull,push'],
      ['repository::pull'], ['repository'], ['registry:catalog:*'], ['project:PROJECT:push'], ['repository:PROJECT:pull'], [`repository:${'a/'.repeat(200)}a:pull`],
    ])('B-09: scope %s gives nothing', async (scope) => {
      const response = await haven.oci(eve).requestToken([scope.replaceAll('PROJECT', project)]);
      expect([200, 400]).toContain(response.status);
      if (response.status !== 200) return;
      const { access } = decoded((await response.json()).token).payload;
      expect(access.flatMap((entry) => entry.actions)).toEqual([]);
    });

    test('several scopes, in one parameter or many, are granted each by itself', async () => {
      const other = await haven.project({ members: { gina: 'developer' } });
      const wanted = { [repository]: ['pull'], [`${other}/x`]: ['pull', 'push'] };
      expect(await granted(gina, `repository:${repository}:pull,push repository:${other}/x:pull,push`)).toEqual(wanted);
      expect(await granted(gina, `repository:${repository}:pull,push`, `repository:${other}/x:pull,push`)).toEqual(wanted);
    });

    test('B-12: the public gets nothing in a private project', async () => {
      expect(await granted(undefined, `repository:${repository}:pull`)).toEqual({ [repository]: [] });
      const response = await haven.oci().getManifest(repository, '1');
      expect(response.status).toBe(401);
    });

    test('another service, or none, is refused', async () => {
      for (const service of ['other', '']) expect((await fetch(`${haven.url}/service/token?service=${service}&scope=repository:${repository}:pull`)).status).toBe(400);
    });
  });

  describe('the wrong door', () => {
    test('B-14: a registry token opens nothing in the REST API', async () => {
      for (const path of ['/users/current', `/projects/${project}/members`]) {
        const response = await fetch(`${haven.url}/api/v2.0${path}`, { headers: { authorization: `Bearer ${token}` } });
        expect(response.status).toBe(401);
      }
    });

    test('A-01, B-19: another installation has keys of its own, and its tokens are worth nothing here', async () => {
      const elsewhere = await Haven.start();
      try {
        const theirs = await elsewhere.oci(elsewhere.adminAccount).token(`repository:${repository}:pull,push`);
        const given = decoded(theirs);
        expect(given.payload.aud).toBe(payload.aud);
        expect(await pullWith(theirs)).toEqual(SHUT);
        const keys = (platform) => readdirSync(join(platform.dataDir, 'keys')).map((name) => readFileSync(join(platform.dataDir, 'keys', name), 'utf8'));
        expect(keys(haven.platform).length).toBeGreaterThan(2);
        expect(keys(elsewhere.platform).filter((secret) => keys(haven.platform).includes(secret))).toEqual([]);
        expect((await stolenSigningKey(elsewhere.platform)).publicJwk).not.toEqual(key.publicJwk);
        const login = await haven.oci(elsewhere.adminAccount).requestToken([`repository:${repository}:pull`]);
        expect(login.status).toBe(401);
      } finally {
        await elsewhere.stop();
      }
    });

    test.each([
      ['no base64', 'Basic !!!!'], ['no colon', `Basic ${Buffer.from('dave').toString('base64')}`], ['three colons', `Basic ${Buffer.from('dave:a:b:c').toString('base64')}`],
      ['no name', `Basic ${Buffer.from(':secret').toString('base64')}`], ['no UTF-8', `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString('base64')}`], ['20 KiB', `Basic ${'QUFB'.repeat(5_000)}`],
      ['a NUL', `Basic ${Buffer.from('dave\0:x').toString('base64')}`],
    ])('A-28: credentials with %s are refused', async (_, authorization) => {
      const { answers } = await sendRaw(haven.url, rawRequest('GET', '/service/token?service=harbor-registry', { Host: haven.host, Authorization: authorization }));
      expect([400, 401, 431]).toContain(answers[0].status);
    });

    test('A-28: two different Authorization headers are refused', async () => {
      const { answers } = await sendRaw(haven.url, rawRequest('GET', `/v2/${repository}/manifests/1`, { Host: haven.host, Authorization: [`Bearer ${token}`, 'Bearer other'] }));
      expect([400, 401]).toContain(answers[0].status);
    });

    test('B-17: a foreign Host header does not send clients and their passwords elsewhere', async () => {
      const asked = async (headers) => (await sendRaw(haven.url, rawRequest('GET', '/v2/', { Host: haven.host, ...headers }))).answers[0];
      for (const headers of [{ 'X-Forwarded-Host': 'evil.test' }, { Forwarded: 'host=evil.test' }, { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.test' }, { 'X-Forwarded-For': '127.0.0.1', 'X-Original-URL': 'http://evil.test/' }]) {
        const answer = await asked(headers);
        expect(answer.status).toBe(401);
        expect(answer.head).toContain(`realm="http://${haven.host}/service/token"`);
      }
      for (const host of ['evil.test"', 'evil.test/path', 'a b', 'evil.test,good.test', 'user@evil.test', '']) {
        const answer = await asked({ Host: host });
        expect(answer === undefined || [400, 421].includes(answer.status) || !answer.head.includes('evil')).toBe(true);
      }
    });
  });

  test('N-11: a clock that is a minute off is tolerated, more is not', async () => {
    const at = (seconds) => ({ iat: seconds, nbf: seconds, iat_ms: seconds * 1000, exp: seconds + 600 });
    expect(await pullWith(resigned(at(now() + 30)))).toEqual(OPEN);
    expect(await pullWith(resigned(at(now() + 300)))).toEqual(SHUT);
    expect(await pullWith(resigned(at(now() - 600 - 300)))).toEqual(SHUT);
  });
});
