import { type Digest, digestAlgorithm, digestHex, parseDigest } from '@haven/oci';
import { isUploadId } from './blob-storage.js';
import { UploadMissing } from './storage-error.js';

/*
 * The same paths in every store, relative to its root. Blobs lie where CNCF Distribution keeps them,
 * so that a store of Distribution or Harbor can be adopted in place.
 */

/** Below it: `<algorithm>/<first two hex digits>/<hex>/data`. */
export const BLOBS = 'docker/registry/v2/blobs';
/** Below it: one file, or one folder of objects, for each upload. */
export const UPLOADS = 'haven/uploads';
/** The digest algorithms, which are the folders in {@link BLOBS}. */
export const ALGORITHMS = ['sha256', 'sha512'] as const;

/** The folder that holds a blob's `data`. */
export function blobFolder(digest: Digest): string {
  const hex = digestHex(digest);
  return `${BLOBS}/${digestAlgorithm(digest)}/${hex.slice(0, 2)}/${hex}`;
}

/** Where a blob is kept, relative to the root of the store. */
export function blobPath(digest: Digest): string {
  return `${blobFolder(digest)}/data`;
}

/** The digest of the blob that is kept at this path; undefined for any other path. */
export function digestOfBlobPath(path: string): Digest | undefined {
  const [algorithm, shard, hex, data, ...rest] = path.startsWith(`${BLOBS}/`) ? path.slice(BLOBS.length + 1).split('/') : [];
  if (data !== 'data' || rest.length > 0 || shard !== hex?.slice(0, 2)) return undefined;
  return parseDigest(`${algorithm}:${hex}`);
}

/**
 * Where an upload is kept, relative to the root of the store.
 * @throws UploadMissing for an id that could lead elsewhere: no upload can have it
 */
export function uploadPath(id: string): string {
  if (!isUploadId(id)) throw new UploadMissing(id, 'has an impossible id');
  return `${UPLOADS}/${id}`;
}
