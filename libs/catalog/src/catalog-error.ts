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
  | 'upload-changed'
  /** The project would hold more than its quota allows; `quota` says by how much. */
  | 'quota-exceeded'
  /** A rule of the project forbids to move or delete these tags; `tags` lists them. */
  | 'immutable'
  /** There is such a tag already; `tags` names it. */
  | 'tag-exists'
  /** Signatures and the like are copied with their subject, never alone. */
  | 'accessory-source'
  | 'bin-entry-unknown'
  /** What is to come back cannot: its name is taken, its repository is in the bin, or content of it is gone (`digests`). */
  | 'restore-conflict';

/** Bytes: what the project uses, what was to be added, and its limit. */
export interface QuotaExcess {
  readonly used: number;
  readonly added: number;
  readonly hard: number;
}

export interface CatalogErrorDetails {
  readonly tags?: readonly string[];
  readonly quota?: QuotaExcess;
}

export class CatalogError extends Error {
  override readonly name = 'CatalogError';
  readonly tags: readonly string[];
  readonly quota?: QuotaExcess;

  constructor(
    readonly code: CatalogErrorCode,
    message: string,
    readonly digests: readonly string[] = [],
    details: CatalogErrorDetails = {},
  ) {
    super(message);
    this.tags = details.tags ?? [];
    if (details.quota) this.quota = details.quota;
  }
}
