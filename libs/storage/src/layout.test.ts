import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import { blobPath, digestOfBlobPath, uploadPath } from './layout.js';
import { openStorage } from './open-storage.js';
import { StorageError, UploadMissing } from './storage-error.js';

describe('the layout', () => {
  test("is Distribution's", () => {
    const hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(blobPath(digestOf(Buffer.alloc(0)))).toBe(`docker/registry/v2/blobs/sha256/e3/${hex}/data`);
  });

  test.each(['sha256', 'sha512'] as const)('is read back for %s', (algorithm) => {
    const digest = digestOf(randomBytes(3), algorithm);
    expect(digestOfBlobPath(blobPath(digest))).toBe(digest);
  });

  test.each(['', 'docker/registry/v2/blobs/sha256/e3/e3b0/data', 'docker/registry/v2/blobs/sha256/ff/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/data',
    'docker/registry/v2/blobs/sha256/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/other',
    'docker/registry/v2/blobs/sha256/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/data/x',
    'docker/registry/v2/blobs/md5/e3/e3b0c44298fc1c149afbf4c8996fb924/data'])('does not know %j', (path) => {
    expect(digestOfBlobPath(path)).toBeUndefined();
  });

  test('keeps uploads in their folder', () => {
    expect(uploadPath('put-1')).toBe('haven/uploads/put-1');
    expect(() => uploadPath('../x')).toThrow(UploadMissing);
  });
});

test.each(['', 'nonsense', 'https://host/bucket', 'file://host/path', 'file:///path?x=1', 's3://bucket'])('the address %j opens nothing', (url) => {
  expect(() => openStorage(url)).toThrow(StorageError);
});
