import type { ComparedBlob, Finding } from './finding.js';

/**
 * What looks wrong about a digest at first sight; undefined when nothing does. Bytes without a row are left alone as long
 * as they are younger than the grace time, and a row that says 'deleting' is the business of garbage collection.
 */
export function suspicionOf({ digest, stored, row }: ComparedBlob, before: Date): Finding | 'young' | undefined {
  if (row === undefined) {
    if (stored === undefined) return undefined;
    if (stored.modifiedAt >= before) return 'young';
    return { kind: 'orphan', name: digest, size: stored.size, details: { since: stored.modifiedAt.toISOString() } };
  }
  if (row.state === 'deleting') return undefined;
  if (stored === undefined) return { kind: 'missing', name: digest, size: undefined, details: { expected_size: row.size } };
  if (stored.size !== row.size) return { kind: 'wrong-size', name: digest, size: stored.size, details: { since: stored.modifiedAt.toISOString(), expected_size: row.size } };
  return undefined;
}

/**
 * Whether the bytes have the size that the catalog names, so that they are worth reading: all of them when that is wanted, and
 * those of a lost blob always, because they may be back.
 */
export function isWorthReading({ stored, row }: ComparedBlob, rehash: boolean): boolean {
  if (stored === undefined || row === undefined || stored.size !== row.size) return false;
  return row.state === 'lost' || (rehash && row.state === 'present');
}
