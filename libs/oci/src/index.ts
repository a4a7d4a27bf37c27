export { type Digest, type DigestAlgorithm, digestAlgorithm, digestHex, digestOf, parseDigest } from './digest.js';
export { isProjectName, isRepositoryName, isTag, MAX_REPOSITORY_NAME, MAX_TAG, projectOf } from './names.js';
export { OCI_ERRORS, OciError, ociErrorBody, type OciErrorCode, type OciErrorOptions } from './errors.js';
export { type ManifestReference, parseRoute, type V2Route } from './route.js';
export { type Descriptor, isForeignLayer, type ManifestDescriptor, type Platform } from './descriptor.js';
export { type Manifest, parseManifest, referrerArtifactType } from './manifest.js';
export { type ByteRange, parseContentRange, parseRange } from './range.js';
export { nextLink } from './link.js';
export {
  DOCKER_IMAGE_CONFIG, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, isImageMediaType, isIndexMediaType,
  isManifestMediaType, MAX_MANIFEST_BYTES, mediaTypeOf, OCI_ARTIFACT_MANIFEST, OCI_EMPTY, OCI_IMAGE_CONFIG, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST,
} from './media-types.js';
export { versionKey } from './version-key.js';
