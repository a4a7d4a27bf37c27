import type { Query } from './query.js';

/** One stored line. */
export interface LogRecord {
  /** Milliseconds since 1970; lines without a time sort first. */
  readonly at: number;
  readonly line: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const RANK: Readonly<Record<string, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

/** The record of a line, when the query wants it. */
export function matchingRecord(line: string, query: Query): LogRecord | undefined {
  // Cheap refusals first: parsing is what costs time.
  if (query.requestId !== undefined && !line.includes(query.requestId)) return undefined;
  if (query.grep !== undefined && !line.toLowerCase().includes(query.grep)) return undefined;
  const record = parseRecord(line);
  if (record === undefined) return undefined;
  if (rankOf(record.fields['level']) < rankOf(query.level)) return undefined;
  if (query.requestId !== undefined && record.fields['requestId'] !== query.requestId) return undefined;
  if (query.since !== undefined && record.at < query.since.getTime()) return undefined;
  return record;
}

/** A line of no known level counts as information. */
function rankOf(level: unknown): number {
  return RANK[String(level)] ?? 20;
}

/** Oldest first; lines of the same millisecond keep their order. */
export function inOrder(records: readonly LogRecord[]): LogRecord[] {
  return [...records].sort((left, right) => left.at - right.at);
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const at = Date.parse(String(fields['time']));
    return { at: Number.isNaN(at) ? 0 : at, line, fields };
  } catch {
    return undefined; // A line that is being written right now; following sees it whole.
  }
}
