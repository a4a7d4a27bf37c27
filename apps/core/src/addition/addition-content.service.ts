import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { isForeignLayer, MAX_MANIFEST_BYTES, parseManifest, type Descriptor, type Manifest } from '@haven/oci';
import { BlobStorage } from '@haven/storage';
import type { ArtifactRow } from '../artifact/artifact.store.js';
import { QueueFull, WorkQueue } from '../identity/work-queue.js';
import { ArchiveFault, findInArchive, type ArchiveSearch, type Packing } from './archive.js';

/** Bytes of a file that is shown, at most. */
export const LARGEST_CONTENT = 4 * 1024 * 1024;
const LARGEST_ARCHIVE = 64 * 1024 * 1024;
const ARCHIVE_MS = 10_000;

/** What artifacts are made of, read from storage within bounds: it is what clients pushed. */
@Injectable()
export class AdditionContent {
  /** Unpacking costs time and memory, and anybody who may read an artifact may ask for it. */
  readonly #archives = new WorkQueue({ concurrency: 2, waiting: 100, waitingPerOrigin: 20 });

  constructor(private readonly storage: BlobStorage) {}

  async manifest({ digest, manifestMediaType }: ArtifactRow): Promise<Manifest> {
    return parseManifest(await this.storage.readAll(digest, MAX_MANIFEST_BYTES), manifestMediaType);
  }

  /** @throws Problem NOT_FOUND for content that is kept elsewhere, REQUEST_ENTITY_TOO_LARGE */
  async blob(descriptor: Descriptor, most = LARGEST_CONTENT): Promise<Buffer> {
    requireHere(descriptor);
    if (descriptor.size > most) throw tooLarge(`the content is larger than ${most} bytes`);
    return this.storage.readAll(descriptor.digest, most);
  }

  /**
   * A file of a packed layer; undefined when it is not in there.
   *
   * @param origin whose turn it is in the queue of work
   * @throws Problem BAD_REQUEST, NOT_FOUND, REQUEST_ENTITY_TOO_LARGE, TOO_MANY_REQUEST
   */
  async fileIn(layer: Descriptor, wanted: ArchiveSearch['wanted'], origin: string): Promise<Buffer | undefined> {
    requireHere(layer);
    const search: ArchiveSearch = { packing: packingOf(layer.mediaType), wanted, largestFile: LARGEST_CONTENT, largestArchive: LARGEST_ARCHIVE, milliseconds: ARCHIVE_MS };
    try {
      return await this.#archives.run(origin, async () => findInArchive(await this.storage.read(layer.digest), search));
    } catch (error) {
      if (error instanceof QueueFull) throw new Problem('TOO_MANY_REQUEST', 'too many archives are being read just now; try again in a moment', { headers: { 'Retry-After': '2' }, cause: error });
      if (!(error instanceof ArchiveFault)) throw error;
      if (error.kind === 'too-large') throw tooLarge(error.message, error);
      throw new Problem('BAD_REQUEST', 'the archive that was pushed is damaged; push it again', { cause: error });
    }
  }
}

function packingOf(mediaType: string): Packing {
  if (/[+.]gzip$/.test(mediaType)) return 'tar+gzip';
  return /[+.]zstd$/.test(mediaType) ? 'tar+zstd' : 'tar';
}

function requireHere(descriptor: Descriptor): void {
  if (isForeignLayer(descriptor)) throw new Problem('NOT_FOUND', 'the content is kept elsewhere');
}

function tooLarge(message: string, cause?: unknown): Problem {
  return new Problem('REQUEST_ENTITY_TOO_LARGE', message, { cause });
}
