import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { OciError, parseContentRange, parseManifest, parseRange, parseRoute } from './index.js';
import { digestOf } from './digest.js';
import { isRepositoryName } from './names.js';

/** Put a number here to repeat a failure: every failure names its seed. */
const seed = randomInt(2 ** 31);
const ROUNDS = 5_000;

/** Mulberry32: small, fast, repeatable. */
function generator(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function pick<T>(random: (below: number) => number, list: readonly [T, ...T[]]): T {
  return list[random(list.length)] ?? list[0];
}

/** Runs `work`, whose only permitted failure is an answer to the client. */
function answered<T>(input: unknown, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OciError && error.status < 500) return undefined;
    throw new Error(`seed ${seed}: ${JSON.stringify(input)}`, { cause: error });
  }
}

test('parseRoute answers whatever the path, and names only good repositories', () => {
  const random = generator(seed);
  const words = ['a', 'b/c', 'blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', 'latest', `sha256:${'a'.repeat(64)}`] as const;
  const oddities = ['', '..', '.', '%2f', '-', '_', 'A', ':', '\0', 'ü', '\ud800'] as const;
  let named = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let path = '/v2';
    for (let length = random(7); length >= 0; length--) path += random(10) === 0 ? pick(random, oddities) : `/${pick(random, words)}`;
    const route = answered(path, () => parseRoute(path));
    if (route === undefined || !('repository' in route)) continue;
    named++;
    if (!isRepositoryName(route.repository) || !path.startsWith(`/v2/${route.repository}/`)) throw new Error(`seed ${seed}: ${path}`);
  }
  expect(named).toBeGreaterThan(0);
});

test('parseManifest answers whatever the bytes', () => {
  const random = generator(seed);
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1, platform: { os: 'linux' }, urls: ['u'], annotations: { a: 'b' } };
  const start = Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [descriptor], manifests: null, subject: descriptor, annotations: { k: 'v' } }));
  const splices = ['"', '{', '}', '[', ']', ',', ':', 'null', '1e999', '-1', '\\', '\\u0061', 'true', '"manifests"', '"size":1,', '\xff', ''] as const;
  let good = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let bytes: Buffer = start;
    for (let changes = random(3); changes >= 0; changes--) {
      const at = random(bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(random, splices), 'latin1'), bytes.subarray(at + random(4))]);
    }
    const contentType = pick(random, [undefined, 'application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json', 'application/vnd.oci.artifact.manifest.v1+json', 'x/y+json', '']);
    const manifest = answered(bytes.toString('latin1'), () => parseManifest(bytes, contentType));
    if (manifest !== undefined) good++;
  }
  expect(good).toBeGreaterThan(0);
});

test('ranges are refused or lie within the content', () => {
  const random = generator(seed);
  const pieces = ['bytes', '=', '-', ' ', ',', '/', '*', '0', '1', '9', '99', '9'.repeat(16), 'x', 'bytes=', 'bytes '] as const;
  let satisfiable = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let header = pick(random, ['bytes=', 'bytes ', '']);
    for (let length = random(6); length >= 0; length--) header += pick(random, pieces);
    const size = random(3) * random(200);
    const range = parseRange(header, size);
    if (typeof range === 'object') {
      satisfiable++;
      if (!(range.start >= 0 && range.start <= range.end && range.end < size)) throw new Error(`seed ${seed}: ${header} of ${size}`);
    }
    const chunk = parseContentRange(header);
    if (chunk !== undefined && !(chunk.start >= 0 && chunk.start <= chunk.end)) throw new Error(`seed ${seed}: ${header}`);
  }
  expect(satisfiable).toBeGreaterThan(0);
});
