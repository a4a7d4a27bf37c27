import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import type { BlobStorage } from './blob-storage.js';
import { UploadMissing } from './storage-error.js';
import { begin, chunked, LARGE, readAll, sha, staleIds, type StorageUnderTest, upload } from './testing/contract-bytes.js';

/** The part of the contract of BlobStorage that says what becomes of damaged bytes. */
export function healingContract(opened: () => StorageUnderTest): void {
  const storage = (): BlobStorage => opened().storage;

  describe('bytes that are not what their digest says', () => {
    const damages = [
      ['other ones of the same size', (bytes: Buffer) => randomBytes(bytes.byteLength)], ['fewer', (bytes: Buffer) => bytes.subarray(0, bytes.byteLength - 1)],
      ['more', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])], ['none', () => Buffer.alloc(0)],
    ] as const;
    const small = damages.map(([what, damage]) => ['small', what, 70_000, damage] as const);
    const large = damages.slice(0, 2).map(([what, damage]) => ['large', what, LARGE, damage] as const);

    test.each([...small, ...large])('give way to those of a %s upload: %s', async (_name, _what, size, damage) => {
      const bytes = randomBytes(size);
      const digest = digestOf(bytes);
      await upload(storage(), bytes);
      await opened().overwrite(digest, damage(bytes));
      expect(sha(await readAll(await storage().read(digest)))).not.toBe(digest);
      await upload(storage(), bytes);
      expect([sha(await readAll(await storage().read(digest))), (await storage().stat(digest))?.size]).toEqual([digest, size]);
    });

    test.each(damages)('give way to a blob that is stored at once: %s', async (_what, damage) => {
      const bytes = randomBytes(4_000);
      await storage().put(digestOf(bytes), bytes);
      await opened().overwrite(digestOf(bytes), damage(bytes));
      await storage().put(digestOf(bytes), bytes);
      expect(await storage().readAll(digestOf(bytes), 4_001)).toEqual(bytes);
    });

    test.each(damages)('are not given out as a small blob: %s', async (_what, damage) => {
      const bytes = randomBytes(4_000);
      await storage().put(digestOf(bytes), bytes);
      await opened().overwrite(digestOf(bytes), damage(bytes));
      await expect(storage().readAll(digestOf(bytes), 5_000)).rejects.toMatchObject({ name: 'StorageError', kind: 'broken' });
    });

    test('give way to an empty blob', async () => {
      const digest = digestOf(Buffer.alloc(0));
      await storage().put(digest, Buffer.alloc(0));
      await opened().overwrite(digest, randomBytes(5));
      await storage().commit(await begin(storage()), digest);
      expect(await storage().stat(digest)).toMatchObject({ size: 0 });
    });

    test('give way to an upload that is committed several times, at once and again', async () => {
      const bytes = randomBytes(9_000);
      const digest = digestOf(bytes);
      await upload(storage(), bytes);
      await opened().overwrite(digest, randomBytes(9_000));
      const { state } = await storage().append(await begin(storage()), chunked(bytes, 1_000));
      await Promise.all([storage().commit(state, digest), storage().commit(state, digest), upload(storage(), bytes)]);
      await storage().commit(state, digest);
      expect(await storage().readAll(digest, 9_000)).toEqual(bytes);
      expect(await staleIds(storage())).not.toContain(state.id);
    });

    test('stay when the upload holds fewer bytes than its state says', async () => {
      const bytes = randomBytes(2_000);
      const { state } = await storage().append(await begin(storage()), chunked(bytes.subarray(0, 1_000), 100));
      await opened().overwrite(digestOf(bytes), randomBytes(2_000));
      await expect(storage().commit({ ...state, received: 2_000 }, digestOf(bytes))).rejects.toThrow(UploadMissing);
    });
  });

  test('the version of a blob changes whenever it is stored anew, and not by itself', async () => {
    const bytes = randomBytes(60);
    const digest = digestOf(bytes);
    const seen: (string | undefined)[] = [];
    const version = async (): Promise<string | undefined> => (await storage().stat(digest))?.version;
    for (const store of [() => storage().put(digest, bytes), () => upload(storage(), bytes), () => opened().overwrite(digest, randomBytes(60)), () => upload(storage(), bytes)]) {
      await store();
      seen.push(await version());
      expect(await version()).toBe(seen.at(-1));
      await new Promise((resolve) => { setTimeout(resolve, opened().tickMs); });
    }
    expect(new Set(seen).size).toBe(4);
  });
}
