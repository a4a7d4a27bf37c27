import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Looks at every file below the blob paths of a storage folder (`docker/registry/v2/blobs/<algorithm>/<2 hex>/<hex>/data`).
 * @returns {Promise<{ digests: Set<string>, faults: string[] }>} `faults`: files that do not belong there, or whose bytes
 *   are not what their path says
 */
export async function storedBlobs(storageFolder) {
  const root = join(storageFolder, 'docker/registry/v2/blobs');
  const digests = new Set();
  const faults = [];
  if (!existsSync(root)) return { digests, faults };
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    const parts = /^(sha256|sha512)\/([0-9a-f]{2})\/([0-9a-f]{64}|[0-9a-f]{128})\/data$/.exec(path);
    if (!parts || !parts[3].startsWith(parts[2])) {
      faults.push(`${path} does not belong below the blobs`);
      continue;
    }
    const hash = createHash(parts[1]);
    await pipeline(createReadStream(join(root, path)), hash);
    if (hash.digest('hex') === parts[3]) digests.add(`${parts[1]}:${parts[3]}`);
    else faults.push(`${path} holds other bytes than its name says`);
  }
  return { digests, faults };
}
