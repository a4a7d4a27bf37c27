import type { ReconciliationCount, ReconciliationProgress, ReconciliationRun } from '@haven/execution';
import type { ConfirmedFinding, FindingKind, Outcome } from './finding.js';

const WORDS: Readonly<Record<FindingKind, string>> = {
  orphan: 'bytes that the catalog does not know', missing: 'blob of the catalog without bytes', 'wrong-size': 'bytes of another size than the catalog says',
  corrupted: 'bytes that are not what the digest says', 'stale-upload': 'left by an upload that nobody continues', 'stale-commit': 'left by a commit that never ended',
  returned: 'bytes of a lost blob that are there again',
};

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  '': '', 'handed-over': 'handed over to garbage collection', removed: 'removed', kept: 'kept', marked: 'marked as lost until somebody pushes it', restored: 'no longer marked as lost',
};

/** A finding as a line of the log. */
export function lineOf({ kind, name, size, details, outcome }: ConfirmedFinding): string {
  const { since, expected_size: expected, needed_by: needed, needed_by_count: count = 0, repositories, reason } = details;
  return [
    `${kind}: ${name}: ${WORDS[kind]}`,
    ...(size === undefined ? [] : [`${size} bytes`]),
    ...(expected === undefined || expected === size ? [] : [`${expected} bytes in the catalog`]),
    ...(since === undefined ? [] : [`last written ${since}`]),
    ...(needed === undefined ? [] : [neededBy(needed, count, repositories ?? [])]),
    ...(outcome === '' ? [] : [OUTCOMES[outcome]]),
    ...(reason === undefined ? [] : [reason]),
  ].join('; ');
}

function neededBy(artifacts: readonly string[], count: number, repositories: readonly string[]): string {
  if (count > 0) return `needed by ${artifacts.join(', ')}${count > artifacts.length ? ` and ${count - artifacts.length} more` : ''}`;
  return repositories.length > 0 ? `needed by no artifact; in ${repositories.join(', ')}` : 'needed by no artifact';
}

/** What came of a comparison, as a sentence. */
export function summaryOf({ stored, known, rehashed, young, found = {}, outcomes = {}, not_marked: notMarked }: ReconciliationProgress, { rehash }: ReconciliationRun): string {
  return [
    `${stored.count} blobs with ${stored.bytes} bytes in storage, ${known} in the catalog${rehash ? `, ${rehashed.count} read` : ''}`,
    Object.keys(found).length === 0 ? 'nothing is wrong' : listed(found),
    ...(young === 0 ? [] : [`${young} unknown to the catalog and left alone because they are young`]),
    ...(Object.keys(outcomes).length > 0 ? [listed(outcomes)] : []),
    ...(notMarked === undefined ? [] : [`not marked as lost: ${notMarked}`]),
  ].join('; ');
}

function listed(counts: Readonly<Record<string, ReconciliationCount>>): string {
  return Object.entries(counts).map(([word, { count, bytes }]) => `${word}: ${count} (${bytes} bytes)`).join(', ');
}
