import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, type Digest } from '@haven/oci';
import { selfSigned } from '@haven/runtime';
import { blobStorageContract } from '../blob-storage.contract.js';
import type { BlobStorage, UnfinishedCommit, UploadState } from '../blob-storage.js';
import { blobPath } from '../layout.js';
import { openStorage } from '../open-storage.js';
import { faultSeed, testS3 } from '../testing/settings.js';
import { type Fault, type FaultPlan, type FaultyS3, randomFaults, startFaultyS3 } from '../testing/faulty-s3.js';
import { createTestBucket, type TestBucket } from '../testing/test-bucket.js';
import { parseS3Address } from './address.js';
import type { S3Limits } from './objects.js';
import { S3BlobStorage } from './s3-blob-storage.js';

/** Short waits between tries, so that thousands of faults do not take minutes; but patience with a busy machine. */
const PATIENT = {
  retry: { attempts: 6, baseMs: 5, capMs: 50, totalMs: 20_000 },
  timeouts: { connectMs: 5_000, idleMs: 20_000, copyIdleMs: 20_000, callMs: 25_000 },
};
/** For the tests in which time runs out. */
function impatient(idleMs: number): S3Limits {
  return { ...PATIENT, timeouts: { ...PATIENT.timeouts, idleMs } };
}

blobStorageContract('S3', async () => {
  const bucket = await createTestBucket();
  return { storage: openStorage(bucket.address({ prefix: 'some/where' }), bucket.keys), overwrite: overwriting(bucket, 'some/where/'), tickMs: 1_100, close: async () => undefined };
});

const seed = faultSeed();
blobStorageContract(`S3 with faults (HAVEN_TEST_FAULT_SEED=${seed})`, async () => {
  const bucket = await createTestBucket();
  const faulty = await startFaultyS3(testS3().endpoint, knownBeginnings(randomFaults(seed, 0.12)));
  const address = parseS3Address(new URL(bucket.address({ endpoint: faulty.endpoint })));
  return {
    storage: new S3BlobStorage(address, bucket.keys.accessKey, bucket.keys.secretKey, PATIENT),
    overwrite: overwriting(bucket, ''),
    tickMs: 1_100,
    close: async () => {
      await faulty.close();
      // All kinds must have happened, or this run has shown nothing.
      if (faulty.faults.size < 6) throw new Error(`Only these faults happened: ${[...faulty.faults.keys()].join(', ')}.`);
    },
  };
});

let bucket: TestBucket;
beforeAll(async () => {
  bucket = await createTestBucket();
});

describe('when the store misbehaves', () => {
  let faulty: FaultyS3;
  afterEach(() => faulty.close());

  async function behind(plan: FaultPlan, limits: S3Limits = PATIENT): Promise<BlobStorage> {
    faulty = await startFaultyS3(testS3().endpoint, plan);
    return new S3BlobStorage(parseS3Address(new URL(bucket.address({ endpoint: faulty.endpoint }))), bucket.keys.accessKey, bucket.keys.secretKey, limits);
  }

  test.each<[Fault, string]>([['refuse', 'InternalError'], ['slow-down', 'SlowDown'], ['reset', 'ECONNRESET'], ['stall', 'no answer']])('tries a bounded number of times when it always does this: %s', async (fault, reason) => {
    const storage = await behind(() => fault, impatient(300));
    await expect(storage.health()).rejects.toMatchObject({ name: 'StorageError', kind: 'unavailable', message: expect.stringContaining(reason) });
    expect(faulty.requests).toHaveLength(PATIENT.retry.attempts);
  });

  test('a read that breaks off goes on with the next byte', async () => {
    const bytes = await stored(2_000_000);
    const storage = await behind(first(2, 'cut', ({ method }) => method === 'GET'));
    expect(await readAll(storage, bytes)).toEqual(bytes);
    const starts = faulty.requests.filter(({ method }) => method === 'GET').map(({ range }) => Number(/^bytes=(\d+)-1999999$/.exec(range ?? '')?.[1]));
    expect(starts).toHaveLength(3);
    expect(starts[0]).toBe(0);
    expect(Number(starts[1])).toBeGreaterThan(0);
    expect(Number(starts[2])).toBeGreaterThan(Number(starts[1]));
  });

  test('a read whose bodies never bring anything fails, and is not short', async () => {
    const bytes = await stored(1);
    const storage = await behind(({ method }) => (method === 'GET' ? 'cut' : undefined));
    await expect(readAll(storage, bytes)).rejects.toMatchObject({ name: 'StorageError', kind: 'unavailable' });
  });

  test('a store that does not know ranges is refused, not served from the wrong byte', async () => {
    const bytes = await stored(1_000);
    const storage = await behind(({ method }) => (method === 'GET' ? 'no-range' : undefined));
    await expect(readAll(storage, bytes, { start: 500, end: 999 })).rejects.toMatchObject({ name: 'StorageError', message: expect.stringContaining('another range') });
  });

  test('a consumer slower than the time limit gets everything', async () => {
    const bytes = await stored(12_000_000);
    const storage = await behind(() => undefined, impatient(1_500));
    const chunks: Uint8Array[] = [];
    for await (const chunk of await storage.read(digestOf(bytes))) {
      if (chunks.length === 1) await new Promise((resolve) => setTimeout(resolve, 3_000));
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(faulty.requests.filter(({ method }) => method === 'GET').length).toBeGreaterThan(1);
  });

  test('a consumer that leaves closes the connection', async () => {
    const bytes = await stored(12_000_000);
    const storage = await behind(() => undefined);
    for await (const _ of await storage.read(digestOf(bytes))) break;
    expect(faulty.requests.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });

  test('a completed join whose answer was lost counts', async () => {
    const bytes = randomBytes(9_000_000);
    const storage = await behind(first(1, 'forget', ({ method, url }) => method === 'POST' && url.includes('uploadId=')));
    await storage.commit(await uploaded(storage, bytes), digestOf(bytes));
    expect((await readAll(storage, bytes)).equals(bytes)).toBe(true);
  });

  test('a join that the store forgot is made anew, and damaged bytes of the same size do not pass for it', async () => {
    const bytes = randomBytes(9_000_000);
    await overwriting(bucket, '')(digestOf(bytes), randomBytes(9_000_000));
    const storage = await behind(first(1, 'gone', ({ method, url }) => method === 'POST' && url.includes('uploadId=')));
    await storage.commit(await uploaded(storage, bytes), digestOf(bytes));
    expect(faulty.requests.filter(({ method, url }) => method === 'POST' && url.endsWith('?uploads'))).toHaveLength(2);
    expect((await readAll(storage, bytes)).equals(bytes)).toBe(true);
  });

  test('an append that fails removes what it wrote, and its state goes on', async () => {
    const bytes = randomBytes(20_000_000);
    let failing = false;
    const storage = await behind(({ method, url }) => (failing && method === 'PUT' && url.includes('-1') ? 'refuse' : undefined));
    const state = await uploaded(storage, bytes.subarray(0, 5));
    const before = await bucket.objects();
    failing = true;
    await expect(storage.append(state, chunked(bytes.subarray(5)))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await bucket.objects()).toEqual(before);
    failing = false;
    const { state: next } = await storage.append(state, chunked(bytes.subarray(5)));
    await storage.commit(next, digestOf(bytes));
    expect((await readAll(storage, bytes)).equals(bytes)).toBe(true);
  });

  test('appends send no more than a few segments at a time', async () => {
    const storage = await behind(() => undefined);
    const states = await Promise.all(Array.from({ length: 3 }, () => uploaded(storage, Buffer.alloc(60_000_000, randomBytes(1)))));
    expect(faulty.mostPuts()).toBeGreaterThan(1);
    expect(faulty.mostPuts()).toBeLessThanOrEqual(6);
    await Promise.all(states.map((state) => storage.abort(state)));
  });
});

describe('what operators get wrong', () => {
  test('a wrong key is named as such, and no key is told', async () => {
    const secretKey = `wrong${randomBytes(12).toString('hex')}`;
    const error: unknown = await openStorage(bucket.address(), { ...bucket.keys, secretKey }).health().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'StorageError', kind: 'broken', message: expect.stringContaining('Check HAVEN_S3_ACCESS_KEY') });
    const told = inspect(error, { depth: 10, showHidden: true });
    expect(told).not.toContain(secretKey);
    expect(told).not.toContain(bucket.keys.accessKey);
  });

  test('a bucket that is not there is named as such', async () => {
    const elsewhere = bucket.address().replace(bucket.name, `no-${bucket.name}`);
    await expect(openStorage(elsewhere, bucket.keys).health()).rejects.toMatchObject({ kind: 'broken', message: expect.stringContaining('Create the bucket') });
  });

  test('a certificate of an unknown authority is refused, unless ca_file names it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'haven-storage-'));
    const pair = selfSigned('localhost');
    writeFileSync(join(folder, 'cert.pem'), pair.cert);
    const server = https.createServer({ ...pair }, (request, response) => {
      request.pipe(http.request(testS3().endpoint, { method: request.method, path: request.url, headers: request.headers }, (answer) => {
        response.writeHead(Number(answer.statusCode), answer.headers);
        answer.pipe(response);
      }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = bucket.address({ endpoint: `https://localhost:${(server.address() as AddressInfo).port}` });
    try {
      await expect(openStorage(address, bucket.keys).health()).rejects.toMatchObject({ kind: 'broken', message: expect.stringContaining('ca_file') });
      const storage = openStorage(`${address}&ca_file=${join(folder, 'cert.pem')}`, bucket.keys);
      await storage.health();
      const bytes = randomBytes(9_000_000);
      await storage.commit(await uploaded(storage, bytes), digestOf(bytes));
      expect((await readAll(storage, bytes)).equals(bytes)).toBe(true);
    } finally {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('redirects', () => {
  test('are off unless the address turns them on', async () => {
    expect(await openStorage(bucket.address(), bucket.keys).redirectUrl(digestOf(randomBytes(1)), { seconds: 60 })).toBeUndefined();
  });

  test('serve the blob with the headers that were asked for', async () => {
    const bytes = await stored(1_000);
    const storage = openStorage(bucket.address({ redirect: true }), bucket.keys);
    const url = String(await storage.redirectUrl(digestOf(bytes), { seconds: 60, contentType: 'application/vnd.test+x; a="b&c"', contentDisposition: 'attachment' }));
    const answer = await fetch(url);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
    expect(answer.headers.get('content-type')).toBe('application/vnd.test+x; a="b&c"');
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(url).not.toContain(bucket.keys.secretKey);
    expect((await fetch(url.replace(/.{4}$/, 'ffff'))).status).toBe(403);
  });

  test.each([0, 604_801, 1.5])('are not valid for %d seconds', async (seconds) => {
    await expect(openStorage(bucket.address({ redirect: true }), bucket.keys).redirectUrl(digestOf(randomBytes(1)), { seconds })).rejects.toThrow(RangeError);
  });

  test('refuse headers that could break out of their line', async () => {
    const contentType = 'text/plain\r\nset-cookie: a=b';
    await expect(openStorage(bucket.address({ redirect: true }), bucket.keys).redirectUrl(digestOf(randomBytes(1)), { seconds: 60, contentType })).rejects.toThrow(RangeError);
  });
});

test('joins that a crash left are named once they are old enough, and dropped only when that is asked for', async () => {
  const own = await createTestBucket();
  const storage = openStorage(own.address({ prefix: 'p' }), own.keys);
  const digest = digestOf(randomBytes(8));
  await own.client.initiateNewMultipartUpload(own.name, `p/${blobPath(digest)}`, {});
  await own.client.initiateNewMultipartUpload(own.name, 'p/something/else', {});
  const named = async (before: number): Promise<UnfinishedCommit[]> => {
    const commits: UnfinishedCommit[] = [];
    for await (const commit of storage.unfinishedCommits(new Date(before))) commits.push(commit);
    return commits;
  };
  expect(await named(Date.now() - 3_600_000)).toEqual([]);
  const found = await named(Date.now() + 3_600_000);
  expect(found).toEqual([{ digest, id: expect.any(String), startedAt: expect.any(Date) }]);
  for await (const stale of storage.staleUploads(new Date(Date.now() + 3_600_000))) expect(stale).toBeUndefined();
  expect(await named(Date.now() + 3_600_000)).toEqual(found);
  for (let time = 0; time < 2; time += 1) for (const commit of found) await storage.dropCommit(commit);
  expect(await named(Date.now() + 3_600_000)).toEqual([]);
  expect((await own.client.listIncompleteUploadsQuery(own.name, 'p/something', '', '', '')).uploads).toHaveLength(1);
});

test('a committed upload leaves the blob and nothing else', async () => {
  const own = await createTestBucket();
  const storage = openStorage(own.address({ prefix: 'p' }), own.keys);
  const bytes = randomBytes(17_000_000);
  const first = await storage.append(await storage.createUpload(randomUUID()), chunked(bytes.subarray(0, 10)));
  const second = await storage.append(first.state, chunked(bytes.subarray(10, 9_000_000)));
  const third = await storage.append(second.state, chunked(bytes.subarray(9_000_000)));
  await storage.commit(third.state, digestOf(bytes));
  expect(await own.objects()).toEqual([`p/${blobPath(digestOf(bytes))}`]);
});

/** A multipart upload whose beginning nobody heard of stays, for unfinishedCommits to name it; the contract is about the others. */
function knownBeginnings(plan: FaultPlan): FaultPlan {
  return (request) => {
    const fault = plan(request);
    return fault !== undefined && ['forget', 'lie', 'cut'].includes(fault) && request.url.endsWith('?uploads') ? 'reset' : fault;
  };
}

function overwriting({ client, name }: TestBucket, prefix: string): (digest: Digest, bytes: Buffer) => Promise<void> {
  return async (digest, bytes) => { await client.putObject(name, `${prefix}${blobPath(digest)}`, bytes, bytes.byteLength); };
}

function first(times: number, fault: Fault, applies: (request: { method: string; url: string }) => boolean): FaultPlan {
  let left = times;
  return (request) => (applies(request) && left-- > 0 ? fault : undefined);
}

async function stored(size: number): Promise<Buffer> {
  const bytes = randomBytes(size);
  await openStorage(bucket.address(), bucket.keys).put(digestOf(bytes), bytes);
  return bytes;
}

async function uploaded(storage: BlobStorage, bytes: Buffer): Promise<UploadState> {
  return (await storage.append(await storage.createUpload(randomUUID()), chunked(bytes))).state;
}

async function readAll(storage: BlobStorage, bytes: Buffer, range?: { start: number; end: number }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await storage.read(digestOf(bytes), range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* chunked(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield Buffer.from(bytes.subarray(at, at + 65_536));
}
