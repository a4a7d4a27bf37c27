import type { JsonValue, UploadState } from '../blob-storage.js';
import { uploadPath } from '../layout.js';
import { UploadMissing } from '../storage-error.js';

const MIB = 1024 * 1024;

/** S3 takes no more parts than this. */
export const MAX_SEGMENTS = 10_000;

/**
 * The size of the segment of that index, in bytes. Small first, as memory is bounded by a few of them and most blobs
 * are small; larger later, so that the segments that S3 allows hold 218 GiB.
 */
export function segmentBytes(index: number): number {
  if (index < 1_000) return 8 * MIB;
  return index < 5_000 ? 16 * MIB : 32 * MIB;
}

/** Segments that one append wrote. Its token is in their names, so that appends which start from the same state do not touch each other's. */
interface Run {
  readonly token: string;
  readonly count: number;
}

interface Tail {
  readonly token: string;
  readonly size: number;
}

/** Where the bytes of an upload are: whole segments, in order, then what was too little for one. */
export interface Segments {
  readonly runs: readonly Run[];
  readonly tail?: Tail;
  /** The tail of the state before this one; unused once this state is. */
  readonly outdated?: Tail;
}

/** One object of an upload. */
export interface SegmentObject {
  readonly key: string;
  readonly size: number;
}

/** How many whole segments there are. */
export function segmentCount({ runs }: Segments): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

export function segmentKey(id: string, token: string, index: number): string {
  return `${uploadPath(id)}/${token}-${index}`;
}

export function tailKey(id: string, { token }: { readonly token: string }): string {
  return `${uploadPath(id)}/${token}-tail`;
}

/** Every object that holds bytes of the upload, in their order. */
export function objectsOf(id: string, segments: Segments): SegmentObject[] {
  const objects: SegmentObject[] = [];
  for (const { token, count } of segments.runs) {
    for (let left = count; left > 0; left -= 1) objects.push({ key: segmentKey(id, token, objects.length), size: segmentBytes(objects.length) });
  }
  if (segments.tail !== undefined) objects.push({ key: tailKey(id, segments.tail), size: segments.tail.size });
  return objects;
}

/** What {@link parseSegments} reads. */
export function formatSegments({ runs, tail, outdated }: Segments): JsonValue {
  const pair = (token: string, number: number): JsonValue => [token, number];
  return {
    runs: runs.map(({ token, count }) => pair(token, count)),
    ...(tail === undefined ? {} : { tail: pair(tail.token, tail.size) }),
    ...(outdated === undefined ? {} : { outdated: pair(outdated.token, outdated.size) }),
  };
}

/**
 * Reads the driver part of a state.
 * @throws UploadMissing when it does not account for the bytes that the state claims
 */
export function parseSegments({ id, driver, received }: UploadState): Segments {
  const segments = driver === undefined ? { runs: [] } : read(driver);
  const sum = segments && objectsOf(id, segments).reduce((bytes, { size }) => bytes + size, 0);
  if (segments === undefined || sum !== received) throw new UploadMissing(id, `has a state that does not account for its ${received} bytes`);
  return segments;
}

function read(driver: JsonValue): Segments | undefined {
  if (typeof driver !== 'object' || driver === null || !('runs' in driver) || !Array.isArray(driver.runs)) return undefined;
  const runs = driver.runs.map(readPair);
  const tail = 'tail' in driver ? readPair(driver.tail) : undefined;
  const outdated = 'outdated' in driver ? readPair(driver.outdated) : undefined;
  const pairs = runs.filter((run) => run !== undefined);
  const sound = pairs.length === runs.length && ('tail' in driver) === (tail !== undefined) && ('outdated' in driver) === (outdated !== undefined);
  if (!sound || pairs.reduce((sum, { number }) => sum + number, 0) > MAX_SEGMENTS) return undefined;
  return {
    runs: pairs.map(({ token, number }) => ({ token, count: number })),
    ...(tail && { tail: { token: tail.token, size: tail.number } }),
    ...(outdated && { outdated: { token: outdated.token, size: outdated.number } }),
  };
}

function readPair(value: unknown): { token: string; number: number } | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [token, number] = value as unknown[];
  const sound = typeof token === 'string' && /^[0-9a-f]{12}$/.test(token) && Number.isSafeInteger(number) && Number(number) > 0;
  return sound ? { token, number: Number(number) } : undefined;
}
