import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CompactEncrypt, CompactSign, exportSPKI, importJWK, type CryptoKey } from 'jose';
import { claimsToPayload, type RegistryTokenClaims } from './claims.js';
import { MAX_TOKEN_LENGTH, signRegistryToken } from './sign.js';
import { generateSigningKey, type PublicKeySet, type SigningKey } from './signing-key.js';
import { TokenError } from './token-error.js';
import { RegistryTokenVerifier } from './verifier.js';

const NOW = 1_800_000_000;
const claims: RegistryTokenClaims = {
  subject: 'user:3', name: 'dave',
  access: [{ type: 'repository', name: 'alpha/app', actions: ['pull', 'push'], project: 5 }, { type: 'repository', name: 'ODD', actions: [], project: 0 }, { type: 'registry', name: 'catalog', actions: ['*'] }],
  issuedAt: NOW + 0.25, expiresAt: NOW + 1800, id: 'f3c1',
};

let key: SigningKey;

beforeAll(async () => {
  key = await generateSigningKey();
});

/** A verifier whose clock stands still. */
function verifier(keys: PublicKeySet = { [key.kid]: key.publicJwk }, now = NOW): RegistryTokenVerifier {
  return new RegistryTokenVerifier(async () => keys, { now: () => now * 1000 });
}

/** Signs anything with the right key, as a broken or careless issuer would. */
async function forge(changes: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const payload = { ...claimsToPayload(claims), ...changes };
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: key.kid, ...header })
    .sign((await importJWK(key.privateJwk, 'ES256')) as CryptoKey);
}

/** A token of these parts without any signing. */
function assemble(header: unknown, payload: unknown = claimsToPayload(claims), signature = Buffer.alloc(64)): string {
  return [Buffer.from(JSON.stringify(header)), Buffer.from(JSON.stringify(payload)), signature].map((part) => part.toString('base64url')).join('.');
}

/** The fastest of three refusals: a busy machine slows some of them, a bad algorithm slows all. */
async function fastestRefusal(token: string, reason?: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    const refusal = await verifier().verify(token).then(() => undefined, (error: unknown) => error);
    times.push(performance.now() - start);
    expect(refusal).toBeInstanceOf(TokenError);
    expect(String(refusal)).toContain(reason ?? '');
  }
  return Math.min(...times);
}

test('what was signed is verified', async () => {
  expect(await verifier().verify(await signRegistryToken(key, claims))).toEqual(claims);
});

test('a time of issue finer than milliseconds is rounded as a whole', async () => {
  const signed = await signRegistryToken(key, { ...claims, issuedAt: NOW - 0.0004 });
  expect((await verifier().verify(signed)).issuedAt).toBe(NOW);
});

test('the anonymous subject is a subject', async () => {
  const anonymous = { ...claims, subject: '', name: '' };
  expect(await verifier().verify(await signRegistryToken(key, anonymous))).toEqual(anonymous);
});

test('the token says what the Distribution token specification says', async () => {
  const [header = '', payload = ''] = (await signRegistryToken(key, claims)).split('.').map((part) => Buffer.from(part, 'base64url').toString());
  expect(JSON.parse(header)).toEqual({ alg: 'ES256', typ: 'JWT', kid: key.kid });
  expect(JSON.parse(payload)).toMatchObject({ iss: 'haven-token-issuer', aud: 'harbor-registry', sub: 'user:3', iat: NOW, nbf: NOW, exp: NOW + 1800, jti: 'f3c1', access: claims.access });
});

test('the issuer refuses to sign what nobody would accept', async () => {
  const many = Array.from({ length: 60 }, (_, at) => ({ type: 'repository' as const, name: `alpha/${'x'.repeat(120)}${at}`, actions: ['pull' as const], project: 5 }));
  await expect(signRegistryToken(key, { ...claims, access: many })).rejects.toThrow('too many scopes');
  await expect(signRegistryToken(key, { ...claims, expiresAt: NOW })).rejects.toThrow(TokenError);
  await expect(signRegistryToken(key, { ...claims, subject: 'dave' })).rejects.toThrow(TokenError);
  await expect(signRegistryToken(key, { ...claims, id: '' })).rejects.toThrow(TokenError);
});

describe('B-02: key ids', () => {
  test.each(['../../dev/null', "' OR '1'='1", '__proto__', 'constructor', '', 'x'.repeat(1024 * 1024), 42, null, {}, 'a'.repeat(43)])('%#', async (kid) => {
    await expect(verifier().verify(assemble({ alg: 'ES256', typ: 'JWT', kid }))).rejects.toThrow(TokenError);
  });

  test('none at all', async () => {
    await expect(verifier().verify(assemble({ alg: 'ES256' }))).rejects.toThrow(TokenError);
  });
});

describe('B-03: algorithms', () => {
  test.each(['none', 'None', 'nOnE', '', 'ES384', 'RS512', 'HS256', 'es256', 'EdDSA', null, ['ES256']])('%j is refused', async (alg) => {
    await expect(verifier().verify(assemble({ alg, typ: 'JWT', kid: key.kid }))).rejects.toThrow('another algorithm');
    await expect(verifier().verify(assemble({ alg, kid: key.kid }, undefined, Buffer.alloc(0)))).rejects.toThrow(TokenError);
  });

  test('the public key is no HMAC secret', async () => {
    const pem = await exportSPKI((await importJWK(key.publicJwk, 'ES256', { extractable: true })) as CryptoKey);
    for (const alg of ['HS256', 'ES256']) {
      const unsigned = assemble({ alg, typ: 'JWT', kid: key.kid }).split('.').slice(0, 2).join('.');
      await expect(verifier().verify(`${unsigned}.${createHmac('sha256', pem).update(unsigned).digest('base64url')}`)).rejects.toThrow(TokenError);
    }
  });

  test.each([['zero', 64], ['empty', 0], ['short', 63], ['long', 65]])('a %s signature is refused', async (_what, length) => {
    await expect(verifier().verify(assemble({ alg: 'ES256', typ: 'JWT', kid: key.kid }, undefined, Buffer.alloc(length)))).rejects.toThrow('a wrong signature');
  });

  test('a signature of another key is refused, and so is a changed payload', async () => {
    const other = await generateSigningKey();
    const token = await signRegistryToken({ ...other, kid: key.kid }, claims);
    await expect(verifier().verify(token)).rejects.toThrow('a wrong signature');
    const [header, , signature] = (await signRegistryToken(key, claims)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...claimsToPayload(claims), sub: 'user:1' })).toString('base64url');
    await expect(verifier().verify([header, payload, signature].join('.'))).rejects.toThrow('a wrong signature');
  });

  test('a stored key that is not on P-256 is a fault of the platform, not of the token', async () => {
    await expect(verifier({ [key.kid]: { kty: 'oct', k: 'AAAA' } }).verify(await signRegistryToken(key, claims))).rejects.toThrow('not an ECDSA key');
  });
});

describe('headers', () => {
  test.each([
    ['crit', ['exp']], ['jwk', {}], ['jku', 'https://evil.test'], ['x5c', ['AAAA']], ['x5u', 'https://evil.test'], ['zip', 'DEF'], ['enc', 'A256GCM'], ['b64', false], ['cty', 'JWT'], ['p2c', 2 ** 31], ['typ', 'at+jwt'],
  ])('%s is refused', async (field, value) => {
    await expect(verifier().verify(assemble({ alg: 'ES256', typ: 'JWT', kid: key.kid, [field]: value }))).rejects.toThrow(TokenError);
  });

  test('a properly signed one with a jwk is refused as well', async () => {
    await expect(verifier().verify(await forge({}, { jwk: key.publicJwk }))).rejects.toThrow('an overlong header');
    await expect(verifier().verify(await forge({}, { jku: 'x' }))).rejects.toThrow('an unexpected header field');
  });

  test.each(['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d', 'Bearer x', '\0.\0.\0', `${Buffer.from('[]').toString('base64url')}.e30.AA`, `${Buffer.from('null').toString('base64url')}.e30.AA`])('%j is no token', async (token) => {
    await expect(verifier().verify(token)).rejects.toThrow(TokenError);
  });
});

describe('B-04: audience and issuer', () => {
  test.each([['other'], [[]], [['other']], [undefined], [null], [5], [{ 0: 'harbor-registry' }], ['harbor-registry '], ['Harbor-Registry'], [[['harbor-registry']]]])('aud %j is refused', async (aud) => {
    await expect(verifier().verify(await forge({ aud }))).rejects.toThrow('another audience');
  });

  test('a list that really contains this service is good', async () => {
    expect((await verifier().verify(await forge({ aud: ['other', 'harbor-registry'] }))).subject).toBe('user:3');
  });

  test.each(['harbor-token-issuer', '', undefined, ['haven-token-issuer'], null])('iss %j is refused', async (iss) => {
    await expect(verifier().verify(await forge({ iss }))).rejects.toThrow('another issuer');
  });
});

describe('B-05, N-11: times', () => {
  test.each(['iat', 'exp', 'nbf', 'iat_ms'])('%s must be a whole number', async (claim) => {
    for (const value of [undefined, null, String(NOW), 1.5, -1, 1e300, true, [NOW]]) {
      await expect(verifier().verify(await forge({ [claim]: value }))).rejects.toThrow(TokenError);
    }
  });

  test.each([
    ['issued in 2100', { iat: 4_102_444_800, exp: 4_102_446_000, iat_ms: 4_102_444_800_000 }],
    ['issued in 2100 with old milliseconds', { iat: 4_102_444_800, exp: 4_102_446_000 }],
    ['good only later', { nbf: NOW + 61 }],
    ['expiring before it was issued', { exp: NOW - 1 }],
    ['living for 25 hours', { exp: NOW + 90_000 }],
    ['with milliseconds of another second', { iat_ms: (NOW + 1) * 1000 }],
  ])('a token %s is refused', async (_what, changes) => {
    await expect(verifier().verify(await forge(changes))).rejects.toThrow(TokenError);
  });

  test('clocks may differ by 60 seconds', async () => {
    const token = await signRegistryToken(key, claims);
    const at = (now: number) => verifier(undefined, now).verify(token);
    expect(await at(NOW - 60)).toEqual(claims);
    await expect(at(NOW - 61)).rejects.toThrow('not valid yet');
    expect(await at(NOW + 1859)).toEqual(claims);
    await expect(at(NOW + 1860)).rejects.toThrow('expired');
  });
});

describe('claims', () => {
  test.each([
    { sub: undefined }, { sub: 'dave' }, { sub: 'user:0' }, { sub: 3 }, { name: undefined }, { name: 'x'.repeat(256) }, { jti: undefined }, { jti: '' }, { jti: 'x'.repeat(256) },
    { access: undefined }, { access: {} }, { access: [null] }, { access: [[]] }, { access: Array.from({ length: 101 }, () => ({ type: 'repository', name: 'a/b', actions: [], project: 5 })) },
    ...[
      { type: 'registry', name: 'catalog', actions: ['*', 'pull'] }, { type: 'registry', name: 'other', actions: ['*'] }, { type: 'repository', name: 'a/b', actions: ['*'], project: 5 },
      { type: 'repository', name: 'a/b', actions: 'pull', project: 5 }, { type: 'repository', name: 'a/b', actions: ['pull'] }, { type: 'repository', name: 'a/b', actions: ['pull'], project: 0 },
      { type: 'repository', name: '../b', actions: ['pull'], project: 5 }, { type: 'repository', name: 'a/b', actions: ['pull', 'pull', 'pull', 'pull'], project: 5 }, { type: 'repository', name: 'a/b', actions: ['pull'], project: '5' },
      { type: 'repository', name: 5, actions: ['pull'], project: 5 }, { type: 'project', name: 'a/b', actions: ['pull'], project: 5 }, { type: 'repository', name: 'a/b', actions: ['toString'], project: 5 },
    ].map((entry) => ({ access: [entry] })),
  ])('%j is refused', async (changes) => {
    await expect(verifier().verify(await forge(changes))).rejects.toThrow(TokenError);
  });

  test.each(['[]', 'null', '"x"', '{', ''])('the payload %j is refused', async (payload) => {
    const token = await new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'ES256', kid: key.kid }).sign((await importJWK(key.privateJwk, 'ES256')) as CryptoKey);
    await expect(verifier().verify(token)).rejects.toThrow(TokenError);
  });
});

describe('B-07: size', () => {
  test.each([
    ['a megabyte of dots', '.'.repeat(1024 * 1024)],
    ['100,000 segments', 'a.'.repeat(100_000)],
    ['60 KiB of claims', `e30.${'a'.repeat(60 * 1024)}.AA`],
    ['8 KiB of header', `${'a'.repeat(8000)}.e30.AA`],
    ['4,000 segments', 'a.'.repeat(4000)],
  ])('%s takes no time', async (_what, token) => {
    expect(await fastestRefusal(token)).toBeLessThan(50);
  });

  test('a good token beyond 8 KiB is refused all the same', async () => {
    const token = await forge({ padding: 'x'.repeat(MAX_TOKEN_LENGTH) });
    await expect(verifier().verify(token)).rejects.toThrow('too long');
    expect(verifier().verifyCached(token)).toBeUndefined();
  });
});

test('B-08: encrypted tokens are refused before any decryption', async () => {
  const secret = new Uint8Array(32);
  const encrypted = await new CompactEncrypt(Buffer.from('{}')).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(secret);
  await expect(verifier().verify(encrypted)).rejects.toThrow('not a signed token');
  const costly = [{ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2 ** 31, p2s: 'AAAA' }, '', '', '', ''].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  expect(await fastestRefusal(costly, 'not a signed token')).toBeLessThan(50);
});
