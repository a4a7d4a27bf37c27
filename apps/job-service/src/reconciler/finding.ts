import type { Digest } from '@haven/oci';
import type { BlobStorage, StoredBlob } from '@haven/storage';

/** In the order in which they are looked at again. */
export const FINDING_KINDS = ['corrupted', 'missing', 'orphan', 'returned', 'stale-commit', 'stale-upload', 'wrong-size'] as const;

/**
 * How storage and the catalog can differ. `orphan`: bytes that the catalog does not know. `missing`: a blob of the catalog
 * without bytes. `wrong-size`, `corrupted`: other bytes than the catalog or the digest says. `returned`: the bytes of a blob that
 * was marked as lost are there again. `stale-upload`, `stale-commit`: what interrupted uploads and commits left.
 */
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Those of which the catalog says more than storage holds. */
export const LACKING_KINDS: ReadonlySet<FindingKind> = new Set(['missing', 'wrong-size', 'corrupted']);

/**
 * `handed-over`: to garbage collection. `kept`: left although it should go, for the reason that the finding names. `marked`: as
 * lost, now or before. `restored`: no longer marked.
 */
export type Outcome = '' | 'handed-over' | 'removed' | 'kept' | 'marked' | 'restored';

export interface Finding {
  readonly kind: FindingKind;
  /** A digest, an upload's id, or both of a commit with a space in between. */
  readonly name: string;
  /** Bytes; undefined where nobody knows. */
  readonly size: number | undefined;
  readonly details: FindingDetails;
}

export interface ConfirmedFinding extends Finding {
  readonly outcome: Outcome;
}

/** Facts for people; plain JSON. */
export interface FindingDetails {
  /** When it was last written to, or begun; ISO 8601. */
  readonly since?: string;
  /** What the catalog says that it has, in bytes. */
  readonly expected_size?: number;
  /** Artifacts that name the blob, some of them, as repository@digest. */
  readonly needed_by?: readonly string[];
  /** How many name it. */
  readonly needed_by_count?: number;
  /** Repositories that serve it, some of them. */
  readonly repositories?: readonly string[];
  /** Why it was kept. */
  readonly reason?: string;
}

/** `lost`: the registry tells nobody of it, because storage is without its bytes, until somebody pushes them. */
export type BlobState = 'present' | 'deleting' | 'lost';

/** A blob as the catalog has it. */
export interface CatalogBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly state: BlobState;
  /** Exact to the microsecond: tells a row from one that was made anew. */
  readonly createdAt: string;
}

/** A digest with what storage and the catalog have under it; at least one of them has something. */
export interface ComparedBlob {
  readonly digest: Digest;
  readonly stored: StoredBlob | undefined;
  readonly row: CatalogBlob | undefined;
}

/** What the reconciler needs of storage. */
export type ComparedStorage = Pick<BlobStorage, 'list' | 'stat' | 'read' | 'staleUploads' | 'abort' | 'unfinishedCommits' | 'dropCommit'>;
