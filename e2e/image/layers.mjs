import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/**
 * SHA-256 of every layer's uncompressed tar, base first, hashed from the bytes themselves. Reads what any of the clients
 * wrote: a docker-archive tar (docker, podman, buildah), an OCI archive tar (ctr), or an OCI layout folder (skopeo).
 */
export async function layerHashes({ archive, layout }) {
  if (layout) return ociLayers(layout);
  const folder = mkdtempSync(join(tmpdir(), 'haven-layers-'));
  try {
    execFileSync('tar', ['-C', folder, '-xf', archive]);
    const listing = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    return await Promise.all(listing[0].Layers.map((path) => hashOf(join(folder, path))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ociLayers(folder) {
  const blob = (digest) => join(folder, 'blobs', ...digest.split(':'));
  const [entry] = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).manifests;
  const { layers } = JSON.parse(readFileSync(blob(entry.digest), 'utf8'));
  return Promise.all(layers.map((layer) => hashOf(blob(layer.digest))));
}

/** Every blob of an OCI layout re-hashed: the digests whose bytes are wrong. */
export async function damagedBlobs(folder, digests) {
  const damaged = [];
  for (const digest of digests) {
    const [algorithm, hex] = digest.split(':');
    const hash = createHash(algorithm);
    await pipeline(createReadStream(join(folder, 'blobs', algorithm, hex)), hash);
    if (hash.digest('hex') !== hex) damaged.push(digest);
  }
  return damaged;
}

async function hashOf(file) {
  const hash = createHash('sha256');
  const steps = isGzip(file) ? [createReadStream(file), createGunzip(), hash] : [createReadStream(file), hash];
  await pipeline(...steps);
  return hash.digest('hex');
}

function isGzip(file) {
  const start = execFileSync('head', ['-c', '2', file]);
  return start[0] === 0x1f && start[1] === 0x8b;
}
