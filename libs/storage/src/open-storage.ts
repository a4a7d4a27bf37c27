import { fileURLToPath } from 'node:url';
import type { BlobStorage } from './blob-storage.js';
import { FilesystemBlobStorage } from './filesystem/filesystem-blob-storage.js';
import { StorageError } from './storage-error.js';

/** What S3 wants to know besides the address. The file system needs neither. */
export interface StorageCredentials {
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
}

/**
 * Opens the store that an address names: `file:///absolute/folder`.
 * @throws StorageError `broken`, with a sentence for the operator, when the address or the folder cannot be used
 */
export function openStorage(url: string, _credentials: StorageCredentials = {}): BlobStorage {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'file:') return new FilesystemBlobStorage(fileURLToPath(parsed));
  throw new StorageError('broken', 'The storage address must start with file:/// or s3://.');
}
