import { Problem } from '@haven/api';
import { isRepositoryName, isTag, parseDigest, projectOf, type Digest } from '@haven/oci';

/** What to copy. */
export interface CopySource {
  readonly project: string;
  /** With its project's name. */
  readonly repository: string;
  readonly reference: { readonly tag: string } | { readonly digest: Digest };
  /** The tag or digest as it was written. */
  readonly text: string;
}

/**
 * Reads `from`: project/repository:tag or project/repository@digest.
 *
 * @throws Problem BAD_REQUEST
 */
export function readCopySource(from: string): CopySource {
  const at = from.indexOf('@');
  const end = at < 0 ? from.lastIndexOf(':') : at;
  const repository = from.slice(0, Math.max(end, 0));
  const text = from.slice(end + 1);
  const digest = at < 0 ? undefined : parseDigest(text);
  const tag = at < 0 && isTag(text) ? text : undefined;
  if (!isRepositoryName(repository) || (digest === undefined && tag === undefined)) {
    throw new Problem('BAD_REQUEST', 'from must be given once, as project/repository:tag or project/repository@digest');
  }
  return { project: projectOf(repository), repository, reference: digest === undefined ? { tag: text } : { digest }, text };
}
