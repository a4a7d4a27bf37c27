import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Haven, until } from './haven.mjs';
import { blobOf, digestOf, randomBlob } from './image/synthetic.mjs';
import { storedBlobs } from './load/stored-files.mjs';
import { drained, errorCodes, expectStatus } from './registry/oci-client.mjs';
import { rawRequest, sendRaw } from './registry/raw-http.mjs';

/** Uploads as nobody should send them: each gets a clear refusal, and nothing wrong is ever stored. */
describe('hostile uploads', () => {
  let haven, oci, dave, mallory, project, repository;

  beforeAll(async () => {
    haven = await Haven.start();
    dave = await haven.user('dave');
    mallory = await haven.user('mallory');
    project = await haven.project({ members: { dave: 'developer', mallory: 'developer' } });
    repository = `${project}/app`;
    oci = haven.oci(dave);
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const absent = async (digest) => expect((await oci.head(repository, 'blobs', digest)).status).toBe(404);
  const refusal = (response) => [response.status, errorCodes(response)];
  const withToken = async (headers = {}) => ({ Host: haven.host, Authorization: `Bearer ${await oci.token(`repository:${repository}:pull,push`)}`, ...headers });

  describe('digests', () => {
    test('J-02: content that is not what the digest says is refused and not kept', async () => {
      const blob = randomBlob(5_000);
      const other = randomBlob(5_000);
      const location = await oci.startUpload(repository);
      expect(refusal(await oci.finishUpload(repository, location, other.digest, blob.bytes))).toEqual([400, ['DIGEST_INVALID']]);
      await absent(other.digest);
      await absent(blob.digest);
      const single = await drained(await oci.request('POST', `/v2/${repository}/blobs/uploads/?digest=${other.digest}`, { body: blob.bytes }));
      expect(refusal(single)).toEqual([400, ['DIGEST_INVALID']]);
      await absent(other.digest);
    });

    test.each([
      'md5:d41d8cd98f00b204e9800998ecf8427e', 'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709', `SHA256:${'a'.repeat(64)}`, `sha256:${'A'.repeat(64)}`,
      `sha256:${'a'.repeat(63)}`, `sha512:${'a'.repeat(64)}`, `sha256+b64:${'a'.repeat(43)}`, 'sha256:', ':', '', 'sha256', `sha384:${'a'.repeat(96)}`,
      `sha256:${'a'.repeat(64)}\n`, `sha256:../../../etc/passwd`, `__proto__:${'a'.repeat(64)}`, `sha256:${'0'.repeat(64)}`,
    ])('C-21: digest %j is refused', async (digest) => {
      const location = await oci.startUpload(repository);
      expect(refusal(await oci.finishUpload(repository, location, digest, Buffer.alloc(0)))).toEqual([400, ['DIGEST_INVALID']]);
    });

    test('an upload survives a refused digest text and can still be finished', async () => {
      const blob = randomBlob(100);
      const location = await oci.startUpload(repository);
      expect((await oci.finishUpload(repository, location, 'md5:00', undefined)).status).toBe(400);
      expect((await oci.finishUpload(repository, location, blob.digest, blob.bytes)).status).toBe(201);
    });
  });

  describe('lengths', () => {
    test('J-02: a body that ends early is not stored', async () => {
      const blob = randomBlob(50_000);
      for (const path of [`/v2/${repository}/blobs/uploads/?digest=${blob.digest}`, `${await oci.startUpload(repository)}?digest=${blob.digest}`]) {
        const head = rawRequest(path.includes('uploads/?') ? 'POST' : 'PUT', path, await withToken({ 'Content-Length': blob.size, 'Content-Type': 'application/octet-stream' }));
        const { answers } = await sendRaw(haven.url, [head, blob.bytes.subarray(0, 20_000)], { end: true });
        expect(answers.every((answer) => answer.status === 400)).toBe(true);
        await absent(blob.digest);
      }
    });

    test('J-02: a broken-off PATCH can be asked about and continued', async () => {
      const blob = randomBlob(3_000_000);
      const location = await oci.startUpload(repository);
      const head = rawRequest('PATCH', location, await withToken({ 'Content-Length': blob.size }));
      await sendRaw(haven.url, [head, blob.bytes.subarray(0, 1_500_000)], { end: true });
      const next = await until('the broken-off request is settled', async () => {
        const status = await drained(await oci.request('GET', location, { scopes: [`repository:${repository}:pull,push`] }));
        expectStatus(status, 204, 'upload status');
        const last = Number(status.headers.get('range').split('-')[1]);
        return last > 0 && last + 1;
      }, { seconds: 15 });
      expect(next).toBeLessThanOrEqual(1_500_000);
      expectStatus(await oci.patch(repository, location, blob.bytes.subarray(next), next), 202, 'the rest');
      expectStatus(await oci.finishUpload(repository, location, blob.digest), 201, 'finish');
      const stored = Buffer.from(await (await oci.getBlob(repository, blob.digest)).arrayBuffer());
      expect(digestOf(stored)).toBe(blob.digest);
    });

    test('J-02: more bytes than announced belong to nobody: the connection ends, the blob has the announced bytes or is not there', async () => {
      const blob = randomBlob(1_000);
      const path = `/v2/${repository}/blobs/uploads/?digest=${blob.digest}`;
      const { answers, closed } = await sendRaw(haven.url, [rawRequest('POST', path, await withToken({ 'Content-Length': blob.size })), blob.bytes, Buffer.from('surplus surplus surplus\r\n\r\n')]);
      expect(closed).toBe(true);
      expect(answers.every((answer) => answer.status === 201 || answer.status === 400)).toBe(true);
      const stored = await oci.getBlob(repository, blob.digest);
      const bytes = Buffer.from(await stored.arrayBuffer());
      expect([stored.status, stored.status === 200 ? digestOf(bytes) : 'absent']).toEqual(stored.status === 200 ? [200, blob.digest] : [404, 'absent']);
    });

    test.each(['-1', '1e3', '0x10', '99999999999999999999', '1,1', 'abc', '+5'])('J-02: Content-Length %s is refused', async (length) => {
      const location = await oci.startUpload(repository);
      const { answers } = await sendRaw(haven.url, rawRequest('PATCH', location, await withToken({ 'Content-Length': length }), 'hello'));
      expect(answers.map((answer) => answer.status)).toEqual([400]);
    });
  });

  describe('ranges', () => {
    const blob = randomBlob(9_000);
    const part = (start, end) => blob.bytes.subarray(start, end);

    test.each([
      ['a gap at the start', 3_000, part(3_000, 6_000), 0],
      ['a gap later', 6_000, part(6_000, 9_000), 3_000],
      ['an overlap', 1_500, part(1_500, 4_500), 3_000],
      ['the first chunk once more', 0, part(0, 3_000), 3_000],
      ['far beyond', 2 ** 40, part(0, 10), 3_000],
    ])('J-03: %s is answered 416, and the session goes on where it was', async (_, start, bytes, before) => {
      const location = await oci.startUpload(repository);
      if (before > 0) expectStatus(await oci.patch(repository, location, part(0, before), 0), 202, 'first chunk');
      const refused = await oci.patch(repository, location, bytes, start);
      expect([refused.status, errorCodes(refused)]).toEqual([416, ['RANGE_INVALID']]);
      const status = await oci.request('GET', location, { scopes: [`repository:${repository}:pull,push`] });
      expect([status.status, status.headers.get('range')]).toEqual([204, `0-${Math.max(0, before - 1)}`]);
      expectStatus(await oci.patch(repository, location, part(before, 9_000), before), 202, 'the right chunk');
      expectStatus(await oci.finishUpload(repository, location, blob.digest), 201, 'finish');
    });

    test.each(['a-b', '5', '-', '10-5', '-5-10', '0-', '0-999999999999999999999', 'bytes=0-4', '0-4,5-9', ' ', '0-4; x', '0 - 4', '٠-٤'])('J-03: Content-Range %j is refused', async (range) => {
      const location = await oci.startUpload(repository);
      const { answers } = await sendRaw(haven.url, rawRequest('PATCH', location, await withToken({ 'Content-Length': 5, 'Content-Range': Buffer.from(range).toString('latin1') }), 'hello'));
      expect(answers).toHaveLength(1);
      expect([400, 416]).toContain(answers[0].status);
      const status = await oci.request('GET', location, { scopes: [`repository:${repository}:pull,push`] });
      expect(status.headers.get('range')).toBe('0-0');
    });

    test('Content-Range and Content-Length that disagree are refused', async () => {
      const location = await oci.startUpload(repository);
      const refused = await drained(await oci.request('PATCH', location, { scopes: [`repository:${repository}:pull,push`], headers: { 'content-range': '0-9' }, body: 'only7by' }));
      expect(refusal(refused)).toEqual([400, ['SIZE_INVALID']]);
    });
  });

  describe('sessions', () => {
    test('J-03: two clients that write to one upload at once: the blob is right or refused, never mixed', async () => {
      const blob = randomBlob(2_000_000);
      for (let round = 0; round < 5; round += 1) {
        const location = await oci.startUpload(repository);
        const [one, two] = await Promise.all([blob.bytes, Buffer.alloc(2_000_000, round)].map((bytes) => oci.patch(repository, location, bytes, 0)));
        const statuses = [one.status, two.status].toSorted();
        expect(statuses[0]).toBe(202);
        expect([409, 416]).toContain(statuses[1]);
        const finished = await oci.finishUpload(repository, location, blob.digest);
        expect(finished.status).toBe(one.status === 202 ? 201 : 400);
        if (finished.status === 201) expectStatus(await oci.delete(repository, 'blobs', blob.digest, { token: await haven.oci(haven.adminAccount).token(`repository:${repository}:delete`) }), 202, 'delete');
      }
    });

    test('B-18: an upload of somebody else is as good as unknown, in this repository and in others', async () => {
      const location = await oci.startUpload(repository);
      expectStatus(await oci.patch(repository, location, randomBlob(10).bytes, 0), 202, 'own chunk');
      const foreign = haven.oci(mallory);
      const answers = [
        await foreign.patch(repository, location, Buffer.from('evil'), 10),
        await foreign.finishUpload(repository, location, blobOf('evil').digest, Buffer.from('evil')),
        await drained(await foreign.request('GET', location, { scopes: [`repository:${repository}:pull,push`] })),
        await drained(await foreign.request('DELETE', location, { scopes: [`repository:${repository}:pull,push,delete`] })),
      ];
      for (const answer of answers) expect(refusal(answer)).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
      const moved = location.replace(`/v2/${repository}/`, `/v2/${project}/other/`);
      const elsewhere = await oci.patch(`${project}/other`, moved, Buffer.from('evil'), 10);
      expect(refusal(elsewhere)).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
      const status = await oci.request('GET', location, { scopes: [`repository:${repository}:pull,push`] });
      expect([status.status, status.headers.get('range')]).toEqual([204, '0-9']);
    });

    test.each([randomUUID(), 'x', '..', '0'.repeat(300), '__proto__', "1' OR '1'='1", `${randomUUID()}%00`])('C-02: upload id %j is unknown or refused', async (id) => {
      const { answers } = await sendRaw(haven.url, rawRequest('PATCH', `/v2/${repository}/blobs/uploads/${id.replaceAll(' ', '+')}`, await withToken({ 'Content-Length': 5 }), 'hello'));
      expect([400, 404]).toContain(answers[0].status);
      expect(answers[0].body).toMatch(/^\{"errors":\[\{"code":"[A-Z_]+"/);
    });

    test('N-10: finishing twice, also at the same time, has one effect', async () => {
      const blob = randomBlob(100_000);
      const location = await oci.startUpload(repository);
      expectStatus(await oci.patch(repository, location, blob.bytes, 0), 202, 'chunk');
      const answers = await Promise.all(Array.from({ length: 6 }, () => oci.finishUpload(repository, location, blob.digest)));
      const statuses = answers.map((answer) => answer.status);
      expect(statuses).toContain(201);
      expect(statuses.every((status) => [201, 404, 409].includes(status))).toBe(true);
      expect(Buffer.from(await (await oci.getBlob(repository, blob.digest)).arrayBuffer()).equals(blob.bytes)).toBe(true);
    });

    test('a cancelled upload is gone', async () => {
      const location = await oci.startUpload(repository);
      const scopes = [`repository:${repository}:pull,push`];
      const cancelled = await oci.request('DELETE', location, { scopes });
      expect(cancelled.status).toBe(204);
      expect(refusal(await oci.patch(repository, location, Buffer.from('late'), 0))).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
      expect((await oci.request('DELETE', location, { scopes })).status).toBe(404);
    });

    test('J-09: fifty clients finish the same digest at once, half of them with other bytes: the right bytes win', async () => {
      const blob = randomBlob(200_000);
      const wrong = Buffer.from(blob.bytes);
      wrong[777] ^= 1;
      const answers = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const location = await oci.startUpload(repository);
        return { right: i % 2 === 0, response: await oci.finishUpload(repository, location, blob.digest, i % 2 === 0 ? blob.bytes : wrong) };
      }));
      expect(answers.filter(({ right }) => right).map(({ response }) => response.status)).toEqual(Array(25).fill(201));
      expect(answers.filter(({ right }) => !right).map(({ response }) => response.status)).toEqual(Array(25).fill(400));
      expect(Buffer.from(await (await oci.getBlob(repository, blob.digest)).arrayBuffer()).equals(blob.bytes)).toBe(true);
    });
  });

  test('after all this every stored file is what its name says', async () => {
    const { digests, faults } = await storedBlobs(join(haven.platform.dataDir, 'storage'));
    expect(faults).toEqual([]);
    expect(digests.size).toBeGreaterThan(3);
  });
});
