import type { ListedCandidate } from './retention.store.js';

/** What became of an artifact; the first three are Harbor's words. */
export type RetentionStatus = 'RETAIN' | 'DEL' | 'IMMUTABLE' | 'REFERENCED' | 'CHANGED' | 'GONE';

const HEADINGS = ['Digest', 'Tag', 'Kind', 'Labels', 'PushedTime', 'PulledTime', 'CreatedTime', 'Retention', 'Reason'] as const;
const WIDEST = 60;
const TIME_WIDTH = 'yyyy-mm-ddThh:mm:ssZ'.length;
const STATUS_WIDTH = 'REFERENCED'.length;

/** The table in the log of a retention task: a row for each tag, and one for each artifact without any. */
export class RetentionTable {
  readonly #widths: readonly number[];

  constructor(candidates: readonly ListedCandidate[]) {
    const widest = (heading: number, texts: readonly string[]): number =>
      Math.min(WIDEST, texts.reduce((most, text) => Math.max(most, text.length), HEADINGS[heading]?.length ?? 0));
    this.#widths = [
      'sha256:'.length + 12,
      widest(1, candidates.flatMap(({ tags }) => tags.map(({ name }) => name))),
      widest(2, candidates.map(({ kind }) => kind)),
      widest(3, candidates.map(({ labels }) => labels.join(','))),
      TIME_WIDTH, TIME_WIDTH, TIME_WIDTH, STATUS_WIDTH, 0,
    ];
  }

  head(): string[] {
    return [this.#row(HEADINGS), this.#widths.map((width, index) => '-'.repeat(index === HEADINGS.length - 1 ? (HEADINGS[index]?.length ?? 0) : width)).join('-+-')];
  }

  rows(candidate: ListedCandidate, status: RetentionStatus, reason: string): string[] {
    const { digest, kind, labels, pushedAt } = candidate;
    const named = candidate.tags.length === 0 ? [{ name: '', pushedAt: candidate.pushedAt, pulledAt: candidate.pulledAt }] : candidate.tags;
    return named.map((tag) => this.#row([
      digest.slice(0, digest.indexOf(':') + 13), tag.name, kind, labels.join(','), timeText(tag.pushedAt), timeText(tag.pulledAt ?? candidate.pulledAt), timeText(pushedAt), status, reason,
    ]));
  }

  #row(cells: readonly string[]): string {
    return cells.map((cell, index) => cell.padEnd(this.#widths[index] ?? 0)).join(' | ').trimEnd();
  }
}

function timeText(time: Date | undefined): string {
  return time === undefined ? '' : `${time.toISOString().slice(0, 19)}Z`;
}
