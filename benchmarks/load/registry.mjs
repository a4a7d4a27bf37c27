import { createHash, randomBytes } from 'node:crypto';
import { request, succeeded } from './http.mjs';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const CONFIG = Buffer.from('{}');
const CONFIG_TYPE = 'application/vnd.oci.empty.v1+json';
const LAYER_TYPE = 'application/octet-stream';

export const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
export const writeScope = (repository) => `repository:${repository}:pull,push`;
export const readScope = (repository) => `repository:${repository}:pull`;

/** The manifest of a one-layer artifact, as bytes. */
export function manifestOf(layer) {
  return Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: MANIFEST_TYPE, artifactType: 'application/vnd.haven.bench',
    config: { mediaType: CONFIG_TYPE, digest: sha256(CONFIG), size: CONFIG.length },
    layers: [{ mediaType: LAYER_TYPE, digest: layer.digest, size: layer.size }],
  }));
}

/** POST, then PUT with the whole body. */
export async function putBlob(peer, repository, bytes) {
  const headers = await peer.authorization(writeScope(repository));
  const location = await openUpload(peer, repository, headers);
  const answer = await request(withDigest(location, sha256(bytes)), { method: 'PUT', headers: { ...headers, 'content-type': LAYER_TYPE }, body: bytes });
  succeeded(answer, 201, `${peer.title}: PUT blob into ${repository}`);
  return { digest: sha256(bytes), size: bytes.length };
}

/** Opens an upload session and gives back its absolute address. */
export async function openUpload(peer, repository, headers) {
  const answer = await request(`${peer.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
  succeeded(answer, 202, `${peer.title}: POST upload to ${repository}`);
  return new URL(answer.headers.location, peer.url).href;
}

/** The address that ends an upload; what the server put into the query is kept. */
export function withDigest(location, digest) {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url.href;
}

export async function putManifest(peer, repository, reference, bytes) {
  const headers = await peer.authorization(writeScope(repository));
  const answer = await request(`${peer.url}/v2/${repository}/manifests/${reference}`, { method: 'PUT', headers: { ...headers, 'content-type': MANIFEST_TYPE }, body: bytes });
  succeeded(answer, 201, `${peer.title}: PUT manifest ${repository}:${reference}`);
}

/** Pushes a complete artifact with one random layer of `size` bytes. */
export async function pushArtifact(peer, repository, tag, size) {
  await putBlob(peer, repository, CONFIG);
  const layer = await putBlob(peer, repository, randomBytes(size));
  const manifest = manifestOf(layer);
  await putManifest(peer, repository, tag, manifest);
  return { layer, manifest, digest: sha256(manifest) };
}

/** Reads an address once and checks that the bytes are the ones that were pushed. */
export async function checkBody(peer, url, headers, digest) {
  const answer = succeeded(await request(url, { headers }), 200, `${peer.title}: GET ${new URL(url).pathname}`);
  const found = sha256(answer.body);
  if (found !== digest) throw new Error(`${peer.title}: GET ${new URL(url).pathname} gave ${found}, not ${digest}`);
}
