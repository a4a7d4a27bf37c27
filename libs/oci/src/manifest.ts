import { readAnnotations, readDescriptor, readDescriptors, readManifestDescriptors, readMediaType, type Descriptor, type ManifestDescriptor } from './descriptor.js';
import { OciError } from './errors.js';
import { invalidManifest, isObject, isPresent, knownFields, refuseLookalikes, type JsonObject } from './manifest-fields.js';
import {
  isImageMediaType, isIndexMediaType, isJsonMediaType, isSchema1MediaType, MAX_MANIFEST_BYTES, mediaTypeOf, OCI_ARTIFACT_MANIFEST, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST,
} from './media-types.js';
import { parseStrictJson, StrictJsonError } from './strict-json.js';

/** What a registry needs to know of a manifest; the bytes themselves are kept as they came. */
export interface Manifest {
  /** `other` is content of a type that this registry stores without understanding it. */
  readonly kind: 'image' | 'index' | 'other';
  /** As declared by the client, or by the body when the client said nothing. */
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The entries of an index, whatever their media type. */
  readonly children: readonly ManifestDescriptor[];
  /** The manifest that this one is about (OCI Distribution Spec, "Pushing Manifests with Subject"). */
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

const TOP_FIELDS = knownFields('schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'blobs', 'manifests', 'subject', 'annotations');

/**
 * Reads a manifest as it was pushed (OCI Image Spec, "Image Manifest" and "Image Index"; Docker's schema 2).
 *
 * Refuses whatever two readers could understand differently: the same key twice, a body that contradicts its
 * Content-Type, an image that is an index as well (CVE-2021-41190). Accepts what real clients push: a missing
 * `mediaType` in the body, `null` for empty lists, unknown types, fields of their own, blobs listed in an index.
 *
 * @throws OciError MANIFEST_INVALID, UNSUPPORTED (415) for Docker's schema 1, REQUEST_ENTITY_TOO_LARGE beyond 4 MiB.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) {
    throw new OciError('REQUEST_ENTITY_TOO_LARGE', { message: `A manifest may have at most ${MAX_MANIFEST_BYTES} bytes.` });
  }
  const declared = declaredMediaType(contentType);
  if (declared !== undefined && isSchema1MediaType(declared)) throw schema1Refused();
  if (declared !== undefined && !isJsonMediaType(declared)) return { kind: 'other', mediaType: declared, layers: [], children: [] };

  const body = readBody(bytes);
  refuseLookalikes(body, TOP_FIELDS);
  // Old clients sent schema 1 as plain application/json.
  if (body['schemaVersion'] === 1 && isPresent(body, 'fsLayers')) throw schema1Refused();
  const stated = readMediaType(body, 'mediaType');
  if (declared !== undefined && stated !== undefined && declared !== stated) {
    throw invalidManifest('its mediaType is not the Content-Type it was pushed with');
  }
  return readManifest(body, declared ?? stated ?? inferredMediaType(body));
}

/** What a referrer is listed as: its artifact type, or its config's media type (OCI Distribution Spec, "Listing Referrers"). */
export function referrerArtifactType(manifest: Manifest): string | undefined {
  return manifest.artifactType ?? manifest.config?.mediaType;
}

function declaredMediaType(contentType: string | undefined): string | undefined {
  const mediaType = mediaTypeOf(contentType ?? '');
  if (mediaType === '') return undefined;
  if (MEDIA_TYPE.test(mediaType)) return mediaType;
  throw invalidManifest('its Content-Type is not a media type');
}

/** `type/subtype` of RFC 6838 section 4.2. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

function readBody(bytes: Uint8Array): JsonObject {
  try {
    const body = parseStrictJson(bytes);
    if (isObject(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw invalidManifest(error.message, error);
    throw error;
  }
  throw invalidManifest('it is not a JSON object');
}

/** Neither side named a type, which OCI allows: go by the shape. */
function inferredMediaType(body: JsonObject): string {
  if (body['schemaVersion'] === 1) throw schema1Refused();
  if (isPresent(body, 'manifests')) return OCI_IMAGE_INDEX;
  if (isPresent(body, 'config')) return OCI_IMAGE_MANIFEST;
  throw invalidManifest('neither a Content-Type nor its own fields tell what it is');
}

function readManifest(body: JsonObject, mediaType: string): Manifest {
  if (isSchema1MediaType(mediaType)) throw schema1Refused();
  if (isImageMediaType(mediaType)) return readImage(body, mediaType);
  if (isIndexMediaType(mediaType)) return readIndex(body, mediaType);
  if (mediaType === OCI_ARTIFACT_MANIFEST) return readArtifact(body, mediaType);
  return { kind: 'other', mediaType, layers: [], children: [] };
}

function readImage(body: JsonObject, mediaType: string): Manifest {
  requireSchema2(body);
  if (isPresent(body, 'manifests')) throw invalidManifest('an image manifest must not have "manifests"');
  if (!isPresent(body, 'config')) throw invalidManifest('an image manifest needs a "config"');
  return {
    kind: 'image',
    mediaType,
    config: readDescriptor(body['config'], 'config'),
    layers: readDescriptors(body, 'layers'),
    children: [],
    ...readShared(body),
  };
}

function readIndex(body: JsonObject, mediaType: string): Manifest {
  requireSchema2(body);
  if (isPresent(body, 'config') || isPresent(body, 'layers')) throw invalidManifest('an index must not have "config" or "layers"');
  if (body['manifests'] === undefined) throw invalidManifest('an index needs "manifests"');
  return { kind: 'index', mediaType, layers: [], children: readManifestDescriptors(body, 'manifests'), ...readShared(body) };
}

/** The artifact manifest of OCI Image Spec 1.1's release candidates: a list of blobs, perhaps about a subject. */
function readArtifact(body: JsonObject, mediaType: string): Manifest {
  return { kind: 'other', mediaType, layers: readDescriptors(body, 'blobs'), children: [], ...readShared(body) };
}

function readShared(body: JsonObject): Pick<Manifest, 'artifactType' | 'subject' | 'annotations'> {
  const artifactType = readMediaType(body, 'artifactType');
  const annotations = readAnnotations(body);
  return {
    ...(artifactType !== undefined && { artifactType }),
    ...(isPresent(body, 'subject') && { subject: readDescriptor(body['subject'], 'subject') }),
    ...(annotations !== undefined && { annotations }),
  };
}

function requireSchema2(body: JsonObject): void {
  if (body['schemaVersion'] === 1) throw schema1Refused();
  if (body['schemaVersion'] !== 2) throw invalidManifest('its schemaVersion must be 2');
}

function schema1Refused(): OciError {
  return new OciError('UNSUPPORTED', {
    status: 415,
    message: 'Docker manifests of schema 1 are not supported; push the image again with Docker 1.10 or newer, or another current client.',
  });
}
