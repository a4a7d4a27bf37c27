import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import { blobStorageContract } from './blob-storage.contract.js';
import { MemoryBlobStorage } from './memory-blob-storage.js';
import { StorageError } from './storage-error.js';

blobStorageContract('The fake', async () => {
  const storage = new MemoryBlobStorage();
  return { storage, overwrite: (digest, bytes) => storage.put(digest, bytes), tickMs: 0, close: async () => undefined };
});

test('the fake fails on request, and heals', async () => {
  const storage = new MemoryBlobStorage();
  storage.failure = new StorageError('full', 'no space');
  await expect(storage.put(digestOf(randomBytes(1)), randomBytes(1))).rejects.toThrow('no space');
  await expect(storage.health()).rejects.toThrow('no space');
  storage.failure = undefined;
  await storage.health();
});

test('the fake redirects when it is told to', async () => {
  const storage = new MemoryBlobStorage();
  const digest = digestOf(randomBytes(1));
  expect(await storage.redirectUrl(digest, { seconds: 60 })).toBeUndefined();
  storage.redirectBase = 'https://blobs.example/';
  expect(await storage.redirectUrl(digest, { seconds: 60 })).toBe(`https://blobs.example/${digest}`);
});
