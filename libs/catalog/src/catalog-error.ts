/** What the artifact model can refuse, with what its callers need to answer in their own protocol. */
export type CatalogErrorCode =
  | 'project-unknown'
  | 'repository-unknown'
  | 'manifest-unknown'
  | 'tag-unknown'
  | 'blob-unknown'
  /** The manifest names blobs or manifests that the repository does not hold; `digests` lists them. */
  | 'references-missing'
  /** A descriptor's size is not the size of the blob; `digests` lists them. */
  | 'size-mismatch'
  /** An index, or for a blob a manifest, still needs it; `digests` lists who. */
  | 'referenced'
  /** Garbage collection is removing these bytes just now; upload them again in a moment. */
  | 'blob-deleting'
  | 'upload-unknown'
  /** Another request wrote to the same upload. */
  | 'upload-changed';

export class CatalogError extends Error {
  override readonly name = 'CatalogError';

  constructor(
    readonly code: CatalogErrorCode,
    message: string,
    readonly digests: readonly string[] = [],
  ) {
    super(message);
  }
}
