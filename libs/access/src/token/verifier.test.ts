import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RegistryTokenClaims } from './claims.js';
import { ClaimsCache } from './claims-cache.js';
import { signRegistryToken } from './sign.js';
import { generateSigningKey, type PublicKeySet, type SigningKey } from './signing-key.js';
import { TokenError } from './token-error.js';
import { RegistryTokenVerifier } from './verifier.js';

const NOW = 1_800_000_000;
const SECOND = 1000;
const claims: RegistryTokenClaims = { subject: 'user:3', name: 'dave', access: [], issuedAt: NOW, expiresAt: NOW + 1800, id: '1' };

let key: SigningKey;
let other: SigningKey;
let token: string;
let otherToken: string;

beforeAll(async () => {
  [key, other] = await Promise.all([generateSigningKey(), generateSigningKey()]);
  token = await signRegistryToken(key, claims);
  otherToken = await signRegistryToken(other, claims);
});

/** A verifier with a clock and a key source that the test moves and changes. */
function bench(keys: PublicKeySet) {
  const state = { now: NOW * SECOND, keys, reads: 0, failure: undefined as Error | undefined, reported: [] as unknown[] };
  const source = async () => {
    state.reads++;
    if (state.failure !== undefined) throw state.failure;
    return state.keys;
  };
  return { state, verifier: new RegistryTokenVerifier(source, { now: () => state.now, onRefreshFailure: (error) => state.reported.push(error) }) };
}

/** Lets the background refresh end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the cache', () => {
  test('knows a token after it was verified, until it expires', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    expect(verifier.verifyCached(token)).toBeUndefined();
    const first = await verifier.verify(token);
    expect(verifier.verifyCached(token)).toBe(first);
    expect(await verifier.verify(token)).toBe(first);
    state.now = claims.expiresAt * SECOND;
    expect(verifier.verifyCached(token)).toBeUndefined();
    state.now = (claims.expiresAt + 60) * SECOND;
    await expect(verifier.verify(token)).rejects.toThrow('expired');
  });

  test('never knows a token that differs in one character', async () => {
    const { verifier } = bench({ [key.kid]: key.publicJwk });
    await verifier.verify(token);
    expect(verifier.verifyCached(`${token}A`)).toBeUndefined();
    expect(verifier.verifyCached(token.slice(0, -1))).toBeUndefined();
    await expect(verifier.verify(`${token}A`)).rejects.toThrow(TokenError);
  });

  test('does not remember refusals', async () => {
    const { state, verifier } = bench({});
    await expect(verifier.verify(token)).rejects.toThrow('an unknown key');
    state.keys = { [key.kid]: key.publicJwk };
    state.now += SECOND;
    expect(await verifier.verify(token)).toEqual(claims);
  });

  test('keeps the most recently used, and not the tokens themselves', () => {
    const cache = new ClaimsCache(2);
    cache.set('a', claims, NOW);
    cache.set('b', claims, NOW);
    expect(cache.get('a', NOW)).toBe(claims);
    cache.set('c', claims, NOW);
    expect([cache.get('a', NOW), cache.get('b', NOW), cache.get('c', NOW), cache.size]).toEqual([claims, undefined, claims, 2]);
    cache.set('d', claims, claims.expiresAt);
    expect(cache.get('d', NOW)).toBeUndefined();
  });
});

describe('the keys', () => {
  test('are read once for many tokens at once', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk, [other.kid]: other.publicJwk });
    await Promise.all([verifier.verify(token), verifier.verify(otherToken), verifier.verify(token)]);
    expect(state.reads).toBe(1);
  });

  test('a new key is found by reading again', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    await verifier.verify(token);
    state.keys = { [key.kid]: key.publicJwk, [other.kid]: other.publicJwk };
    state.now += SECOND;
    expect(await verifier.verify(otherToken)).toEqual(claims);
    expect(state.reads).toBe(2);
    expect(verifier.verifyCached(token)).toEqual(claims);
  });

  test('made-up key ids cause one read a second', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    await verifier.verify(token);
    for (let attempt = 0; attempt < 50; attempt++) await expect(verifier.verify(otherToken)).rejects.toThrow('an unknown key');
    expect(state.reads).toBe(1);
    state.now += SECOND;
    await Promise.all(Array.from({ length: 50 }, () => expect(verifier.verify(otherToken)).rejects.toThrow('an unknown key')));
    expect(state.reads).toBe(2);
  });

  test('a retired key stops working within its refresh, also for tokens known before', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    await verifier.verify(token);
    state.keys = { [other.kid]: other.publicJwk };
    state.now += 60 * SECOND;
    verifier.verifyCached(token);
    await settle();
    expect(verifier.verifyCached(token)).toBeUndefined();
    await expect(verifier.verify(token)).rejects.toThrow('an unknown key');
    expect(await verifier.verify(otherToken)).toEqual(claims);
  });

  test('that were retired stop working also when the clock has been put back meanwhile', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    await verifier.verify(token);
    state.keys = { [other.kid]: other.publicJwk };
    state.now -= 45 * SECOND;
    verifier.verifyCached(token);
    await settle();
    await expect(verifier.verify(token)).rejects.toThrow('an unknown key');
    expect(await verifier.verify(otherToken)).toEqual(claims);
    expect(state.reads).toBe(2);
  });

  test('retired while a token is being checked do not get it into the cache', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk, [other.kid]: other.publicJwk });
    await verifier.verify(otherToken);
    state.keys = { [other.kid]: other.publicJwk };
    state.now += 60 * SECOND;
    verifier.verifyCached(otherToken);
    expect(await verifier.verify(token)).toEqual(claims);
    await settle();
    expect(verifier.verifyCached(token)).toBeUndefined();
  });

  test('that cannot be read again stay in use, and it is reported', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    await verifier.verify(token);
    state.failure = new Error('database down');
    state.now += 60 * SECOND;
    expect(verifier.verifyCached(token)).toEqual(claims);
    await settle();
    expect(state.reported).toEqual([state.failure]);
    expect(verifier.refreshFailure).toBe(state.failure);
    expect(await verifier.verify(token)).toEqual(claims);
    state.failure = undefined;
    state.now += 60 * SECOND;
    verifier.verifyCached(token);
    await settle();
    expect(verifier.refreshFailure).toBeUndefined();
  });

  test('that cannot be read at all are no fault of the token', async () => {
    const { state, verifier } = bench({ [key.kid]: key.publicJwk });
    state.failure = new Error('database down');
    await expect(verifier.verify(token)).rejects.toBe(state.failure);
    state.failure = undefined;
    expect(await verifier.verify(token)).toEqual(claims);
  });

  test('B-19: of another installation are not ours, even under our key id', async () => {
    const { verifier } = bench({ [key.kid]: key.publicJwk });
    await expect(verifier.verify(await signRegistryToken({ ...other, kid: key.kid }, claims))).rejects.toThrow('a wrong signature');
  });

  test('are named by their RFC 7638 thumbprint', () => {
    expect(key.kid).toMatch(/^[\w-]{43}$/);
    expect(key.kid).not.toBe(other.kid);
    expect(Object.keys(key.publicJwk).toSorted()).toEqual(['crv', 'kty', 'x', 'y']);
  });
});
