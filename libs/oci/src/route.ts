import { parseDigest, type Digest } from './digest.js';
import { OciError } from './errors.js';
import { isProjectName, isRepositoryName, isTag, MAX_REPOSITORY_NAME } from './names.js';

/** How a manifest is asked for. */
export type ManifestReference = { readonly tag: string } | { readonly digest: Digest };

/** What a path under `/v2` means (OCI Distribution Spec, "Endpoints"). */
export type V2Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: ManifestReference }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'unknown' };

const PREFIX = '/v2/';
const TAGS = '/tags/list';
const BLOBS = '/blobs';
const UPLOAD_ID = /^[A-Za-z0-9_-]{1,128}$/;

const NAME_RULE =
  `A repository is named project/name: parts of lower-case letters and digits, joined inside by single dots, one or ` +
  `two underscores or dashes, at most ${MAX_REPOSITORY_NAME} characters in all, with nothing percent-encoded.`;
const ONE_PART_RULE = 'A repository lives in a project: use project/name, for example library/';
const TAG_RULE = 'A tag has at most 128 letters, digits, underscores, dots and dashes, and starts with a letter, a digit or an underscore.';
const DIGEST_RULE = 'A digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal digits.';

/**
 * Reads the raw path of a request (not decoded, without its query).
 *
 * A repository's own components may be called `blobs`, `manifests`, `tags` or `uploads`, so the path is matched from
 * its end. Nothing is decoded or normalised: percent-encoding, dot segments and double slashes are refused, so that no
 * other part of the system can read the same path differently. Linear in the length of the path.
 *
 * @throws OciError NAME_INVALID or DIGEST_INVALID (400); TAG_INVALID with status 404, because the OCI conformance suite
 *   pulls a malformed tag and expects "not found"; BLOB_UPLOAD_UNKNOWN (404) for an upload id that cannot exist.
 */
export function parseRoute(rawPath: string): V2Route {
  if (rawPath === '/v2/' || rawPath === '/v2') return { kind: 'base' };
  if (!rawPath.startsWith(PREFIX)) return { kind: 'unknown' };
  if (rawPath === '/v2/_catalog') return { kind: 'catalog' };
  if (rawPath.endsWith(TAGS)) return { kind: 'tags', repository: repositoryUpTo(rawPath, rawPath.length - TAGS.length) };

  const lastSlash = rawPath.lastIndexOf('/');
  const wordSlash = rawPath.lastIndexOf('/', lastSlash - 1);
  const last = rawPath.slice(lastSlash + 1);
  switch (rawPath.slice(wordSlash + 1, lastSlash)) {
    case 'manifests':
      return { kind: 'manifest', repository: repositoryUpTo(rawPath, wordSlash), reference: referenceFrom(last) };
    case 'blobs':
      return blobRoute(repositoryUpTo(rawPath, wordSlash), last);
    case 'referrers':
      return { kind: 'referrers', repository: repositoryUpTo(rawPath, wordSlash), digest: digestFrom(last) };
    case 'uploads':
      return uploadRoute(rawPath, wordSlash, last);
    default:
      return unknownRoute(rawPath);
  }
}

function blobRoute(repository: string, last: string): V2Route {
  return last === 'uploads' ? { kind: 'uploads', repository } : { kind: 'blob', repository, digest: digestFrom(last) };
}

function uploadRoute(rawPath: string, wordSlash: number, last: string): V2Route {
  const repositoryEnd = wordSlash - BLOBS.length;
  if (!rawPath.endsWith(BLOBS, wordSlash) || repositoryEnd < 0) return unknownRoute(rawPath);
  const repository = repositoryUpTo(rawPath, repositoryEnd);
  if (last === '') return { kind: 'uploads', repository };
  if (!UPLOAD_ID.test(last)) throw new OciError('BLOB_UPLOAD_UNKNOWN');
  return { kind: 'upload', repository, id: last };
}

/** An unknown path is a plain 404, but one that tries to be read in two ways is named as such. */
function unknownRoute(rawPath: string): V2Route {
  if (rawPath.includes('%') || rawPath.includes('//') || rawPath.includes('/.')) throw new OciError('NAME_INVALID', { message: NAME_RULE });
  return { kind: 'unknown' };
}

function repositoryUpTo(rawPath: string, end: number): string {
  const name = end <= PREFIX.length ? '' : rawPath.slice(PREFIX.length, end);
  if (isRepositoryName(name)) return name;
  throw new OciError('NAME_INVALID', { message: isProjectName(name) ? `${ONE_PART_RULE}${name}.` : NAME_RULE });
}

function referenceFrom(text: string): ManifestReference {
  if (text.includes(':')) return { digest: digestFrom(text) };
  if (isTag(text)) return { tag: text };
  throw new OciError('TAG_INVALID', { status: 404, message: TAG_RULE });
}

function digestFrom(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new OciError('DIGEST_INVALID', { message: DIGEST_RULE });
  return digest;
}
