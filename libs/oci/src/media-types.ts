/** The largest manifest accepted, in bytes: the least that the OCI Distribution Spec asks for, and what clients assume. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export const OCI_IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
/** Withdrawn before OCI Image Spec 1.1 was final, but pushed by clients of its release candidates. */
export const OCI_ARTIFACT_MANIFEST = 'application/vnd.oci.artifact.manifest.v1+json';

export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_IMAGE_CONFIG = 'application/vnd.docker.container.image.v1+json';
export const DOCKER_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';
export const DOCKER_SCHEMA1_SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

const IMAGE_TYPES: ReadonlySet<string> = new Set([OCI_IMAGE_MANIFEST, DOCKER_MANIFEST]);
const INDEX_TYPES: ReadonlySet<string> = new Set([OCI_IMAGE_INDEX, DOCKER_MANIFEST_LIST]);
const SCHEMA1_TYPES: ReadonlySet<string> = new Set([DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED]);

/** Layers that may be kept elsewhere (OCI Image Spec, "Non-Distributable Layers"; Docker's foreign layers). */
const NONDISTRIBUTABLE_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
]);

/** An image manifest: one config and layers. */
export function isImageMediaType(mediaType: string): boolean {
  return IMAGE_TYPES.has(mediaType);
}

/** An image index or manifest list. */
export function isIndexMediaType(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType);
}

/** Docker's first manifest format, which nobody should push any more. */
export function isSchema1MediaType(mediaType: string): boolean {
  return SCHEMA1_TYPES.has(mediaType);
}

/** A layer whose bytes need not be in this registry. */
export function isNondistributableMediaType(mediaType: string): boolean {
  return NONDISTRIBUTABLE_TYPES.has(mediaType);
}

/**
 * Whether a descriptor in an index names a manifest, to be looked up under `/manifests/`, rather than a blob.
 * An index may list both: BuildKit's cache export lists layers and its own config.
 */
export function isManifestMediaType(mediaType: string): boolean {
  return IMAGE_TYPES.has(mediaType) || INDEX_TYPES.has(mediaType) || SCHEMA1_TYPES.has(mediaType) || mediaType === OCI_ARTIFACT_MANIFEST;
}

/** Whether a media type claims that the content is JSON (RFC 6839 section 3.1). */
export function isJsonMediaType(mediaType: string): boolean {
  return mediaType.endsWith('+json') || mediaType === 'application/json';
}

/** The media type of a Content-Type header in lower case and without its parameters (RFC 9110 section 8.3.1). */
export function mediaTypeOf(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}
