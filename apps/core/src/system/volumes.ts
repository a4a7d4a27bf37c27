import { statfs } from 'node:fs/promises';
import { Problem, type SystemInfo } from '@haven/api';

/**
 * The size and the free bytes of the volume that a folder of blobs lies on; no volume where they are kept elsewhere,
 * for a bucket has no size.
 *
 * @throws Problem SERVICE_UNAVAILABLE while the folder cannot be looked at
 */
export async function volumesOf(folder: string | undefined): Promise<SystemInfo> {
  if (folder === undefined) return { storage: [] };
  try {
    const { bsize, blocks, bavail } = await statfs(folder);
    return { storage: [{ total: blocks * bsize, free: bavail * bsize }] };
  } catch (cause) {
    throw new Problem('SERVICE_UNAVAILABLE', 'the storage cannot be reached just now; try again in a moment', { cause });
  }
}
