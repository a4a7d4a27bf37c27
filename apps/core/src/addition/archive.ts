import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';

/** How a layer is packed: a tar file as it is, or compressed. */
export type Packing = 'tar' | 'tar+gzip' | 'tar+zstd';

export interface ArchiveSearch {
  readonly packing: Packing;
  /** Whether this is the file; asked of each file's name in turn. */
  readonly wanted: (name: string) => boolean;
  /** Bytes of the file at most. */
  readonly largestFile: number;
  /** Bytes of the unpacked archive at most, up to the file. */
  readonly largestArchive: number;
  readonly milliseconds: number;
}

/** Why a file could not be taken from an archive; `too-large` also for an archive that takes too long. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';

  constructor(
    readonly kind: 'too-large' | 'damaged',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The bytes of the first regular file that is wanted; undefined when there is none. Reads no further than needed and
 * writes nothing: names with "..", links and devices are passed over like every other entry.
 *
 * @throws ArchiveFault, or the error of the source
 */
export async function findInArchive(source: AsyncIterable<Uint8Array>, search: ArchiveSearch): Promise<Buffer | undefined> {
  const entries = extract();
  const failures: Failures = { unreadable: undefined, first: undefined };
  const signal = AbortSignal.timeout(search.milliseconds);
  // Its end is that of the entries below; a source that hangs must not keep anybody waiting.
  pipeline(watched(source, failures), unpacking(search.packing), meter(search.largestArchive), asNodeStream(entries), { signal })
    .catch((error: unknown) => { failures.first ??= error; });
  try {
    for await (const entry of entries) {
      if (entry.header.type === 'file' && search.wanted(withoutDot(entry.header.name))) return await contentOf(entry, search.largestFile);
      entry.resume();
    }
  } catch (error) {
    failures.first ??= error;
  } finally {
    entries.destroy();
  }
  if (failures.unreadable !== undefined) throw failures.unreadable;
  if (failures.first !== undefined) throw faultOf(failures.first, signal);
  return undefined;
}

type Entries = ReturnType<typeof extract>;
type Entry = Entries extends AsyncIterable<infer Each> ? Each : never;

/** It behaves like one; its types come from another family of streams. */
function asNodeStream(entries: Entries): NodeJS.WritableStream {
  return entries as unknown as NodeJS.WritableStream;
}

interface Failures {
  /** What the store said: no fault of the archive. */
  unreadable: unknown;
  first: unknown;
}

async function* watched(source: AsyncIterable<Uint8Array>, failures: Failures): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    failures.unreadable ??= error;
    throw error;
  }
}

function unpacking(packing: Packing): Transform {
  switch (packing) {
    case 'tar': return new PassThrough();
    case 'tar+gzip': return createGunzip();
    case 'tar+zstd': return createZstdDecompress();
  }
}

/** Lets so many bytes pass: what a small archive unpacks to may have no end. */
function meter(most: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > most) done(new ArchiveFault('too-large', `the archive is larger than ${most} bytes`));
      else done(null, chunk);
    },
  });
}

async function contentOf(entry: Entry, most: number): Promise<Buffer> {
  if (entry.header.size > most) throw new ArchiveFault('too-large', `the file is larger than ${most} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function faultOf(error: unknown, signal: AbortSignal): ArchiveFault {
  if (error instanceof ArchiveFault) return error;
  if (signal.aborted) return new ArchiveFault('too-large', 'the archive takes too long to read', { cause: error });
  return new ArchiveFault('damaged', 'the archive is damaged', { cause: error });
}

function withoutDot(name: string): string {
  return name.startsWith('./') ? name.slice(2) : name;
}
