import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export const MEDIA = {
  image: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  packedLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerImage: 'application/vnd.docker.distribution.manifest.v2+json',
  empty: 'application/vnd.oci.empty.v1+json',
};

/** `algorithm:hex` of the bytes. */
export function digestOf(bytes, algorithm = 'sha256') {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** A blob with bytes that exist nowhere else. */
export function randomBlob(size, algorithm = 'sha256') {
  const bytes = randomBytes(size);
  return { bytes, digest: digestOf(bytes, algorithm), size };
}

/** As randomBlob, packed with gzip: what is not packed, some clients pack on its way, and then it is another one. */
export function packedBlob(size) {
  const unpacked = randomBlob(size);
  return { ...blobOf(gzipSync(unpacked.bytes)), mediaType: MEDIA.packedLayer, diffId: unpacked.digest };
}

/** A blob with the given content. */
export function blobOf(content, algorithm = 'sha256') {
  const bytes = Buffer.from(content);
  return { bytes, digest: digestOf(bytes, algorithm), size: bytes.length };
}

/** An image with random layers, valid for the registry; its layers are no tar archives. */
export function randomImage({ layers = 1, size = 1024, architecture = 'amd64', subject, annotations, artifactType } = {}) {
  const blobs = Array.from({ length: layers }, () => randomBlob(size));
  return imageOf(blobs, { architecture, subject, annotations, artifactType });
}

/** An image whose layers are the given blobs. `blobs` of the answer holds them and the config. */
export function imageOf(layers, { architecture = 'amd64', subject, annotations, artifactType } = {}) {
  const config = blobOf(JSON.stringify({ architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId ?? layer.digest) } }));
  const manifest = blobOf(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA.image,
    ...(artifactType ? { artifactType } : {}),
    config: descriptor(config, MEDIA.config),
    layers: layers.map((layer) => descriptor(layer, layer.mediaType ?? MEDIA.layer)),
    ...(subject ? { subject } : {}),
    ...(annotations ? { annotations } : {}),
  }));
  return { ...manifest, mediaType: MEDIA.image, blobs: [config, ...layers], config, layers, architecture };
}

/** An index of the images. */
export function indexOf(images) {
  const manifest = blobOf(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: images.map((image) => ({ ...descriptor(image, image.mediaType), platform: { os: 'linux', architecture: image.architecture ?? 'amd64' } })),
  }));
  return { ...manifest, mediaType: MEDIA.index };
}

export function descriptor(blob, mediaType) {
  return { mediaType, digest: blob.digest, size: blob.size };
}

/** Writes images and their index, or one image alone, as an OCI layout folder that every client can read. */
export function writeLayout(folder, images, top) {
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const put = (blob) => writeFileSync(join(folder, 'blobs', ...blob.digest.split(':')), blob.bytes);
  for (const image of images) for (const blob of [image, ...image.blobs]) put(blob);
  put(top);
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor(top, top.mediaType)] }));
}
