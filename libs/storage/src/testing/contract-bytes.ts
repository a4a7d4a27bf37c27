import { createHash, randomUUID } from 'node:crypto';
import { type Digest, digestOf, parseDigest } from '@haven/oci';
import type { BlobStorage, UploadState } from '../blob-storage.js';

/** A store under test, and how to end it. */
export interface StorageUnderTest {
  readonly storage: BlobStorage;
  /** Puts other bytes where a blob is, as a failing disk or a stranger would do it. */
  overwrite(digest: Digest, bytes: Buffer): Promise<void>;
  /** How long two writes must lie apart for the store to tell their times apart, in milliseconds. */
  readonly tickMs: number;
  close(): Promise<void>;
}

/** More than any adapter writes at once, so that every way of gathering and splitting is walked. */
export const LARGE = 20 * 1024 * 1024 + 4321;

export function begin(storage: BlobStorage): Promise<UploadState> {
  return storage.createUpload(randomUUID());
}

export async function upload(storage: BlobStorage, bytes: Buffer, digest: Digest = digestOf(bytes)): Promise<void> {
  const { state } = await storage.append(await begin(storage), chunked(bytes, 65_536));
  await storage.commit(state, digest);
}

/** A state as it comes back from a database row. */
export function overJson(state: UploadState): UploadState {
  return JSON.parse(JSON.stringify(state)) as UploadState;
}

export async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

export async function* failing(bytes: Buffer, error: Error): AsyncGenerator<Uint8Array> {
  yield* chunked(bytes, 65_536);
  throw error;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collect(chunks));
}

export async function staleIds(storage: BlobStorage, before = new Date(Date.now() + 3_600_000)): Promise<string[]> {
  return (await collect(storage.staleUploads(before))).map(({ id }) => id);
}

export function sha(bytes: Uint8Array): Digest {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  if (digest === undefined) throw new Error('not a digest');
  return digest;
}
