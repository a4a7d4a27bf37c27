import { parseDigest, type Digest } from './digest.js';
import { invalidManifest, isObject, knownFields, refuseLookalikes, type JsonObject } from './manifest-fields.js';
import { isNondistributableMediaType } from './media-types.js';

/** A reference from a manifest to other content (OCI Image Spec, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes, as the manifest claims. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where else the content may be had. */
  readonly urls?: readonly string[];
}

/** An entry of an index. Its media type need not be a manifest's: see `isManifestMediaType`. */
export interface ManifestDescriptor extends Descriptor {
  /** What the image runs on (OCI Image Spec, "Image Index Property Descriptions"). */
  readonly platform?: Platform;
}

export interface Platform {
  readonly architecture?: string;
  readonly os?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  readonly variant?: string;
}

/** A media type (RFC 6838 section 4.2 bounds both halves by 127 characters). */
const MAX_MEDIA_TYPE = 255;

/** More than fit into the largest manifest. */
const MAX_DESCRIPTORS = 100_000;

const DESCRIPTOR_FIELDS = knownFields('mediaType', 'digest', 'size', 'urls', 'annotations', 'artifactType', 'platform', 'data');

/** A layer that a manifest may name without the registry having its bytes. */
export function isForeignLayer(descriptor: Descriptor): boolean {
  return isNondistributableMediaType(descriptor.mediaType) || (descriptor.urls?.length ?? 0) > 0;
}

/** Reads one descriptor. `where` names it in the error, as `layers[3]`. */
export function readDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw invalidManifest(`${where} is not a descriptor object`);
  refuseLookalikes(value, DESCRIPTOR_FIELDS, where);
  const mediaType = readMediaType(value, 'mediaType', where);
  if (mediaType === undefined) throw invalidManifest(`${where}.mediaType is missing`);
  const artifactType = readMediaType(value, 'artifactType', where);
  const annotations = readAnnotations(value, where);
  const urls = readStrings(value, 'urls', where);
  return {
    mediaType,
    digest: readDigest(value, where),
    size: readSize(value, where),
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
    ...(urls !== undefined && { urls }),
  };
}

/** Reads a list of descriptors; absent and `null`, which Go programs write for an empty list, are both empty. */
export function readDescriptors(owner: JsonObject, field: string): Descriptor[] {
  return readList(owner, field).map((value, index) => readDescriptor(value, `${field}[${index}]`));
}

/** Reads the entries of an index, with their platforms. */
export function readManifestDescriptors(owner: JsonObject, field: string): ManifestDescriptor[] {
  return readList(owner, field).map((value, index) => {
    const where = `${field}[${index}]`;
    const descriptor = readDescriptor(value, where);
    const platform = readPlatform((value as JsonObject)['platform'], `${where}.platform`);
    return platform === undefined ? descriptor : { ...descriptor, platform };
  });
}

/** Reads a media type; `undefined` when absent or empty. */
export function readMediaType(owner: JsonObject, field: string, where = ''): string | undefined {
  const value = owner[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length <= MAX_MEDIA_TYPE) return value;
  throw invalidManifest(`${pathOf(where, field)} must be a string of at most ${MAX_MEDIA_TYPE} characters`);
}

/** Reads annotations (OCI Image Spec, "Annotations"): text to text. */
export function readAnnotations(owner: JsonObject, where = ''): Record<string, string> | undefined {
  const value = owner['annotations'];
  if (value === undefined || value === null) return undefined;
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) return value as Record<string, string>;
  throw invalidManifest(`${pathOf(where, 'annotations')} must map strings to strings`);
}

function readDigest(owner: JsonObject, where: string): Digest {
  const value = owner['digest'];
  const digest = typeof value === 'string' ? parseDigest(value) : undefined;
  if (digest === undefined) throw invalidManifest(`${where}.digest is not a sha256 or sha512 digest`);
  return digest;
}

function readSize(owner: JsonObject, where: string): number {
  const value = owner['size'];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
  throw invalidManifest(`${where}.size must be a whole number of bytes from 0 to 2^53-1`);
}

function readPlatform(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw invalidManifest(`${where} is not an object`);
  const architecture = readString(value, 'architecture', where);
  const os = readString(value, 'os', where);
  const osVersion = readString(value, 'os.version', where);
  const osFeatures = readStrings(value, 'os.features', where);
  const variant = readString(value, 'variant', where);
  return {
    ...(architecture !== undefined && { architecture }),
    ...(os !== undefined && { os }),
    ...(osVersion !== undefined && { osVersion }),
    ...(osFeatures !== undefined && { osFeatures }),
    ...(variant !== undefined && { variant }),
  };
}

function readString(owner: JsonObject, field: string, where: string): string | undefined {
  const value = owner[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw invalidManifest(`${pathOf(where, field)} must be a string`);
}

function readStrings(owner: JsonObject, field: string, where: string): string[] | undefined {
  const value = owner[field];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalidManifest(`${pathOf(where, field)} must be a list of strings`);
}

function readList(owner: JsonObject, field: string): unknown[] {
  const value = owner[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidManifest(`${field} must be a list`);
  if (value.length > MAX_DESCRIPTORS) throw invalidManifest(`${field} has more than ${MAX_DESCRIPTORS} entries`);
  return value;
}

function pathOf(where: string, field: string): string {
  return where === '' ? field : `${where}.${field}`;
}
