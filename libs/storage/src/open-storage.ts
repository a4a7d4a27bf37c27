import { fileURLToPath } from 'node:url';
import type { BlobStorage } from './blob-storage.js';
import { FilesystemBlobStorage } from './filesystem/filesystem-blob-storage.js';
import { parseS3Address } from './s3/address.js';
import { S3BlobStorage } from './s3/s3-blob-storage.js';
import { StorageError } from './storage-error.js';

/** The keys that S3 asks for. The file system needs none. */
export interface StorageCredentials {
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
}

/**
 * Opens the store that an address names: `file:///absolute/folder`, or
 * `s3://bucket/prefix?endpoint=https://host&region=…&path_style=true&redirect=true&ca_file=/path`.
 * @throws StorageError `broken`, with a sentence for the operator, when the address or the folder cannot be used
 */
export function openStorage(url: string, { accessKey, secretKey }: StorageCredentials = {}): BlobStorage {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'file:') return new FilesystemBlobStorage(folderOf(parsed));
  if (parsed?.protocol !== 's3:') throw refused('must start with file:/// or s3://');
  if (!accessKey || !secretKey) throw refused('is on S3, so HAVEN_S3_ACCESS_KEY and HAVEN_S3_SECRET_KEY must be set');
  return new S3BlobStorage(parseS3Address(parsed), accessKey, secretKey);
}

function folderOf(url: URL): string {
  if (url.host !== '' || url.search !== '' || url.hash !== '') throw refused('must be file:/// followed by a path and nothing else');
  return fileURLToPath(url);
}

function refused(why: string): StorageError {
  return new StorageError('broken', `The storage address ${why}.`);
}
