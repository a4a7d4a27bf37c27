import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Digest, digestOf } from '@haven/oci';
import type { BlobStorage } from './blob-storage.js';
import { healingContract } from './healing.contract.js';
import { BlobMissing, StorageError, UploadMissing } from './storage-error.js';
import { begin, chunked, collect, failing, LARGE, overJson, readAll, sha, staleIds, type StorageUnderTest, upload } from './testing/contract-bytes.js';

/** What {@link BlobStorage} promises. Every adapter, and the fake, runs it. */
export function blobStorageContract(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name} keeps the contract of BlobStorage`, () => {
    let opened: StorageUnderTest;
    let storage: BlobStorage;
    beforeAll(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterAll(() => opened?.close());

    describe('uploading', () => {
      test.each([['nothing', 0], ['one byte', 1], ['64 KiB', 65_536], ['more than a part', LARGE]])('commits a blob of %s', async (_, size) => {
        const bytes = randomBytes(size);
        const { state } = await storage.append(await begin(storage), chunked(bytes, 65_536));
        expect(state.received).toBe(size);
        await storage.commit(state, digestOf(bytes));
        expect(await storage.stat(digestOf(bytes))).toEqual({ size, version: expect.any(String) });
        expect(sha(await readAll(await storage.read(digestOf(bytes))))).toBe(sha(bytes));
      });

      test('gathers many tiny chunks and many tiny appends', async () => {
        const bytes = randomBytes(6_000);
        let state = await begin(storage);
        for (let at = 0; at < 6_000; at += 600) {
          state = (await storage.append(overJson(state), chunked(bytes.subarray(at, at + 600), 1))).state;
          expect(state.received).toBe(at + 600);
        }
        await storage.commit(overJson(state), digestOf(bytes));
        expect(await storage.readAll(digestOf(bytes), 6_000)).toEqual(bytes);
      });

      test('goes on across large appends of odd sizes, through a state kept as JSON', async () => {
        const bytes = randomBytes(LARGE);
        let state = await begin(storage);
        for (const [from, to] of [[0, 3], [3, 9_000_001], [9_000_001, 9_000_001], [9_000_001, LARGE]] as const) {
          state = overJson((await storage.append(state, chunked(bytes.subarray(from, to), 100_003))).state);
        }
        expect(sha(await readAll(storage.readUpload(state)))).toBe(sha(bytes));
        await storage.commit(state, digestOf(bytes));
        expect(sha(await readAll(await storage.read(digestOf(bytes))))).toBe(sha(bytes));
      });

      test('keeps what came before the source failed, and goes on from there', async () => {
        const bytes = randomBytes(300_000);
        const lost = new Error('the client went away');
        const first = await storage.append(await begin(storage), failing(bytes.subarray(0, 200_000), lost));
        expect(first).toMatchObject({ failure: lost, state: { received: 200_000 } });
        expect(await readAll(storage.readUpload(first.state))).toEqual(bytes.subarray(0, 200_000));
        const second = await storage.append(first.state, chunked(bytes.subarray(200_000), 7_001));
        expect(second).toEqual({ state: expect.objectContaining({ received: 300_000 }) });
        await storage.commit(second.state, digestOf(bytes));
        expect(await storage.readAll(digestOf(bytes), 300_000)).toEqual(bytes);
      });

      test.each([['small', 5_000, 9_000], ['large', 9_000_000, 9_500_000]])('discards %s bytes beyond a state that is used again', async (_, kept, dropped) => {
        const bytes = randomBytes(kept + 1_000);
        const { state } = await storage.append(await begin(storage), chunked(bytes.subarray(0, kept), 65_536));
        await storage.append(state, chunked(randomBytes(dropped), 65_536));
        expect(sha(await readAll(storage.readUpload(state)))).toBe(sha(bytes.subarray(0, kept)));
        const again = await storage.append(state, chunked(bytes.subarray(kept), 333));
        expect(again.state.received).toBe(kept + 1_000);
        await storage.commit(again.state, digestOf(bytes));
        expect(sha(await storage.readAll(digestOf(bytes), kept + 1_000))).toBe(sha(bytes));
      });

      test('commits the bytes of its state, not those of a lost attempt beyond it', async () => {
        const bytes = randomBytes(10_000);
        const { state } = await storage.append(await begin(storage), chunked(bytes, 1_000));
        await storage.append(state, chunked(randomBytes(10_000), 1_000));
        await storage.commit(state, digestOf(bytes));
        expect(await storage.readAll(digestOf(bytes), 20_000)).toEqual(bytes);
      });

      test('takes no more from the source than it can store', async () => {
        let given = 0;
        const size = 1024 * 1024;
        async function* endless(): AsyncGenerator<Uint8Array> {
          for (; given < 64; given += 1) yield Buffer.alloc(size);
          throw new Error('enough');
        }
        const state = await begin(storage);
        const { state: after } = await storage.append(state, endless());
        expect(after.received).toBe(64 * size);
        await storage.abort(after);
      });

      test('64 uploads at a time do not mix', async () => {
        const blobs = Array.from({ length: 64 }, (_, index) => randomBytes(50_000 + index));
        await Promise.all(blobs.map((bytes) => upload(storage, bytes)));
        for (const bytes of blobs) expect(sha(await storage.readAll(digestOf(bytes), 60_000))).toBe(sha(bytes));
      });

      test.each(['', '../escape', 'a/b', '.hidden', 'a'.repeat(129), 'nul\0'])('refuses the upload id %j', async (id) => {
        await expect(storage.createUpload(id)).rejects.toThrow(RangeError);
        await expect(storage.commit({ id, received: 1 }, digestOf(randomBytes(1)))).rejects.toThrow(UploadMissing);
        await expect(storage.append({ id, received: 1 }, chunked(randomBytes(1), 1))).rejects.toThrow(UploadMissing);
      });
    });

    describe('committing', () => {
      test('may be repeated', async () => {
        const bytes = randomBytes(1_000);
        const { state } = await storage.append(await begin(storage), chunked(bytes, 100));
        await storage.commit(state, digestOf(bytes));
        await storage.commit(state, digestOf(bytes));
        expect(await storage.readAll(digestOf(bytes), 1_000)).toEqual(bytes);
      });

      test.each([['small', 70_000], ['large', LARGE]])('ten commits of one %s digest at the same time leave one whole blob and no upload', async (_, size) => {
        const bytes = randomBytes(size);
        const uploads = size === LARGE ? 3 : 10;
        const states = await Promise.all(Array.from({ length: uploads }, async () => (await storage.append(await begin(storage), chunked(bytes, 65_536))).state));
        await Promise.all(states.map((state) => storage.commit(state, digestOf(bytes))));
        expect(sha(await readAll(await storage.read(digestOf(bytes))))).toBe(sha(bytes));
        expect(await staleIds(storage)).not.toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(states.map(({ id }) => id).join('|')))]));
      });

      test('the same upload may be committed twice at the same time', async () => {
        const bytes = randomBytes(2_000);
        const { state } = await storage.append(await begin(storage), chunked(bytes, 100));
        await Promise.all([storage.commit(state, digestOf(bytes)), storage.commit(state, digestOf(bytes))]);
        expect(await storage.readAll(digestOf(bytes), 2_000)).toEqual(bytes);
      });

      test('refuses an upload that is not there, or is shorter than its state', async () => {
        const digest = digestOf(randomBytes(9));
        const gone = await begin(storage);
        const { state } = await storage.append(gone, chunked(randomBytes(9), 9));
        await expect(storage.commit({ ...state, received: 10 }, digest)).rejects.toThrow(UploadMissing);
        await expect(storage.append({ ...state, received: 10 }, chunked(randomBytes(1), 1))).rejects.toThrow(UploadMissing);
        await expect(readAll(storage.readUpload({ ...state, received: 10 }))).rejects.toThrow(UploadMissing);
        await storage.abort(state);
        await expect(storage.commit(state, digest)).rejects.toThrow(UploadMissing);
        await expect(readAll(storage.readUpload(state))).rejects.toThrow(UploadMissing);
        await expect(storage.commit({ id: randomUUID(), received: 5 }, digest)).rejects.toThrow(UploadMissing);
        expect(await storage.stat(digest)).toBeUndefined();
      });

      test('knows sha512', async () => {
        const bytes = randomBytes(500);
        const digest = digestOf(bytes, 'sha512');
        await upload(storage, bytes, digest);
        expect(await storage.readAll(digest, 500)).toEqual(bytes);
        expect(await collect(storage.list())).toContainEqual(expect.objectContaining({ digest, size: 500 }));
        expect(await storage.delete(digest)).toBe(true);
      });
    });

    healingContract(() => opened);

    describe('aborting', () => {
      test('leaves nothing behind, and may be repeated', async () => {
        const { state: small } = await storage.append(await begin(storage), chunked(randomBytes(100), 10));
        const { state: large } = await storage.append(await begin(storage), chunked(randomBytes(LARGE), 65_536));
        await storage.append(large, chunked(randomBytes(10), 10));
        for (const state of [small, large]) {
          await storage.abort(state);
          await storage.abort(state);
        }
        const left = await staleIds(storage);
        expect(left).not.toContain(small.id);
        expect(left).not.toContain(large.id);
      });

      test('works with the id of a stale upload alone', async () => {
        const { state } = await storage.append(await begin(storage), chunked(randomBytes(100), 10));
        expect(await collect(storage.staleUploads(new Date(Date.now() + 3_600_000)))).toContainEqual({ id: state.id, size: 100, modifiedAt: expect.anything() });
        expect(await staleIds(storage, new Date(Date.now() - 3_600_000))).not.toContain(state.id);
        await storage.abort({ id: state.id, received: 0 });
        expect(await staleIds(storage)).not.toContain(state.id);
      });
    });

    describe('reading', () => {
      const bytes = randomBytes(3_000_000);
      const digest = digestOf(bytes);
      beforeAll(() => upload(storage, bytes));

      test.each([[0, 0], [2_999_999, 2_999_999], [1_048_575, 1_048_577], [0, 2_999_999], [500_000, 2_400_000]])('serves the range %i-%i', async (start, end) => {
        expect(sha(await readAll(await storage.read(digest, { start, end })))).toBe(sha(bytes.subarray(start, end + 1)));
      });

      test.each([[0, 3_000_000], [3_000_000, 3_000_000], [-1, 5], [6, 5], [0.5, 5]])('refuses the range %d-%d', async (start, end) => {
        await expect(storage.read(digest, { start, end })).rejects.toThrow(RangeError);
      });

      test('hands out chunks that stay as they are', async () => {
        expect(sha(Buffer.concat(await collect(await storage.read(digest))))).toBe(sha(bytes));
      });

      test('can be left in the middle, or never begun', async () => {
        for await (const chunk of await storage.read(digest)) {
          expect(chunk.byteLength).toBeGreaterThan(0);
          break;
        }
        await storage.read(digest);
      });

      test('readAll refuses what is too large', async () => {
        await expect(storage.readAll(digest, 2_999_999)).rejects.toThrow(StorageError);
      });

      test('says what is missing', async () => {
        const missing = digestOf(randomBytes(20));
        expect(await storage.stat(missing)).toBeUndefined();
        await expect(storage.read(missing)).rejects.toThrow(BlobMissing);
        await expect(storage.readAll(missing, 10)).rejects.toThrow(BlobMissing);
      });
    });

    test('put stores a blob at once, again too, and empty too', async () => {
      const bytes = randomBytes(400);
      await storage.put(digestOf(bytes), bytes);
      await storage.put(digestOf(bytes), bytes);
      expect(await storage.readAll(digestOf(bytes), 400)).toEqual(bytes);
      const none = Buffer.alloc(0);
      await storage.put(digestOf(none), none);
      expect(await storage.readAll(digestOf(none), 0)).toEqual(none);
    });

    test('lists every blob with its size and time', async () => {
      const started = Date.now();
      const blobs = [randomBytes(11), randomBytes(22)];
      for (const bytes of blobs) await upload(storage, bytes);
      const listed = (await collect(storage.list())).filter(({ size }) => size === 11 || size === 22);
      expect(listed.map(({ digest, size }) => ({ digest, size }))).toEqual(expect.arrayContaining(blobs.map((bytes) => ({ digest: digestOf(bytes), size: bytes.byteLength }))));
      for (const { modifiedAt } of listed) expect(Math.abs(modifiedAt.getTime() - started)).toBeLessThan(60_000);
    });

    test('lists in the order of the digests, from behind any of them on', async () => {
      for (let index = 0; index < 30; index += 1) await storage.put(digestOf(Buffer.from(`listed ${index}`), index % 3 === 0 ? 'sha512' : 'sha256'), Buffer.from(`listed ${index}`));
      const digests = (await collect(storage.list())).map(({ digest }) => digest);
      expect(digests.length).toBeGreaterThanOrEqual(30);
      expect(digests).toEqual([...new Set(digests)].sort());
      for (const index of [0, 1, Math.floor(digests.length / 2), digests.length - 2, digests.length - 1]) {
        const after = digests[index];
        expect((await collect(storage.list(after === undefined ? {} : { after }))).map(({ digest }) => digest)).toEqual(digests.slice(index + 1));
      }
    });

    test('has no unfinished commits when all have ended', async () => {
      await upload(storage, randomBytes(12));
      expect(await collect(storage.unfinishedCommits(new Date(Date.now() + 3_600_000)))).toEqual([]);
    });

    test('deletes once', async () => {
      const bytes = randomBytes(99);
      await upload(storage, bytes);
      expect(await storage.delete(digestOf(bytes))).toBe(true);
      expect(await storage.delete(digestOf(bytes))).toBe(false);
      expect(await storage.stat(digestOf(bytes))).toBeUndefined();
      expect((await collect(storage.list())).map(({ digest }) => digest)).not.toContain(digestOf(bytes));
      await upload(storage, bytes);
      expect(await storage.readAll(digestOf(bytes), 99)).toEqual(bytes);
    });

    test('deletes many at once, and settles that together, again too', async () => {
      const blobs = Array.from({ length: 20 }, () => randomBytes(30));
      const digests = blobs.map((bytes) => digestOf(bytes));
      for (const bytes of blobs) await storage.put(digestOf(bytes), bytes);
      const removed = digests.slice(0, 19);
      expect(await Promise.all(removed.map((digest) => storage.delete(digest, { relaxed: true })))).toEqual(removed.map(() => true));
      await storage.settleDeletions(removed);
      await storage.settleDeletions(digests);
      expect((await Promise.all(digests.map((digest) => storage.stat(digest)))).map((found) => found?.size)).toEqual([...removed.map(() => undefined), 30]);
      expect(await storage.delete(removed[0] as Digest, { relaxed: true })).toBe(false);
      await storage.put(removed[0] as Digest, blobs[0] as Buffer);
      await storage.settleDeletions(removed);
      expect(await storage.readAll(removed[0] as Digest, 30)).toEqual(blobs[0]);
    });

    test('commits and deletes of one digest at the same time leave a whole blob or none', async () => {
      const bytes = randomBytes(512);
      await Promise.allSettled(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? upload(storage, bytes) : storage.delete(digestOf(bytes)))));
      await upload(storage, bytes);
      expect(await storage.readAll(digestOf(bytes), 512)).toEqual(bytes);
    });

    test('is healthy, and leaves no trace of the check', async () => {
      await storage.health();
      expect((await staleIds(storage)).filter((id) => id.startsWith('health'))).toEqual([]);
    });
  });
}
