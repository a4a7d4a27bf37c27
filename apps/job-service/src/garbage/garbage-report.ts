import type { Attributes } from '@haven/execution';

/**
 * What a garbage collection counts; the first three by their names in the Harbor API. Bytes that storage confirmed, blobs,
 * and so on; `absent_blobs` are those of the purged ones that storage had no bytes of.
 */
const COUNTS = ['freed_space', 'purged_blobs', 'purged_manifests', 'absent_blobs', 'deleted_artifacts', 'removed_uploads', 'removed_upload_bytes', 'failed_blobs', 'failed_uploads'] as const;

export type GarbageCount = (typeof COUNTS)[number];
type Counts = Readonly<Partial<Record<GarbageCount, number>>>;

/** What failed is tried again by the next attempt, so it does not add up. */
const STANDING: readonly GarbageCount[] = ['failed_blobs', 'failed_uploads'];

/** The counts of a task over all its attempts: what the earlier ones did is where this one begins. */
export class GarbageReport {
  readonly #before: ReadonlyMap<GarbageCount, number>;
  readonly #now = new Map<GarbageCount, number>();

  constructor(before: Attributes) {
    this.#before = new Map(COUNTS.map((count) => [count, !STANDING.includes(count) && typeof before[count] === 'number' ? before[count] : 0]));
  }

  add(counts: Counts): void {
    for (const [count, value] of entriesOf(counts)) this.#now.set(count, (this.#now.get(count) ?? 0) + value);
  }

  /** What this attempt has reached. */
  set(counts: Counts): void {
    for (const [count, value] of entriesOf(counts)) this.#now.set(count, value);
  }

  /** The attributes that `set` would lead to; nothing is changed. */
  with(counts: Counts): Attributes {
    return { ...this.attributes, ...Object.fromEntries(entriesOf(counts).map(([count, value]) => [count, (this.#before.get(count) ?? 0) + value])) };
  }

  get(count: GarbageCount): number {
    return (this.#before.get(count) ?? 0) + (this.#now.get(count) ?? 0);
  }

  get attributes(): Attributes {
    return Object.fromEntries(COUNTS.map((count) => [count, this.get(count)]));
  }
}

function entriesOf(counts: Counts): [GarbageCount, number][] {
  return Object.entries(counts) as [GarbageCount, number][];
}
