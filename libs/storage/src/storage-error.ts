import type { Digest } from '@haven/oci';

/**
 * `full`: no space or quota left; freeing some helps.
 * `unavailable`: the store does not answer now; the same call may work later.
 * `broken`: the store refuses or its data is damaged; an operator has to look.
 */
export type StorageFailure = 'full' | 'unavailable' | 'broken';

/** The store could not do what it was asked to. The message is for the log, not for clients. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageFailure;

  constructor(kind: StorageFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** There is no blob of this digest. */
export class BlobMissing extends Error {
  override readonly name = 'BlobMissing';
  readonly digest: Digest;

  constructor(digest: Digest) {
    super(`There is no blob ${digest}.`);
    this.digest = digest;
  }
}

/** The store has no such upload, or holds fewer bytes of it than its state says. The client must start again. */
export class UploadMissing extends Error {
  override readonly name = 'UploadMissing';
  readonly id: string;

  constructor(id: string, detail = 'is not there') {
    super(`The upload ${JSON.stringify(id.slice(0, 128))} ${detail}.`);
    this.id = id;
  }
}
