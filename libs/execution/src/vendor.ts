import type { JobName } from '@haven/messages';

/** A queue that wakes workers: its jobs name a task, and nothing else. */
export type TaskJob = Extract<JobName, `run-${string}`>;

/** What a kind of execution asks for. */
export interface Vendor {
  /** The queue that wakes a worker; its concurrency is that of one process. */
  readonly job: TaskJob;
  /** How often a task may fail, lost workers included, before it is given up. */
  readonly failures: number;
  /** Whether a task whose handler failed is tried again, unless it failed too often. A task whose worker was lost always is. */
  readonly retried: boolean;
  /** The pause before the second try, in milliseconds; it doubles with each further one. */
  readonly backoffMs: number;
  /** The longest pause between two tries, in milliseconds; an hour, when it is left out. */
  readonly mostBackoffMs?: number;
  /** How many finished executions of one owner are kept. */
  readonly kept: number;
  /** Only one task of this kind runs at a time, in the whole installation; others wait. */
  readonly exclusive?: boolean;
  /** How many tasks of one project one process does at once: fewer than the queue's concurrency, so that others have workers. All when left out. */
  readonly share?: number;
}

/** Every kind of execution, by its name in the Harbor API. */
export const VENDORS = {
  RETENTION: { job: 'run-retention', failures: 3, retried: false, backoffMs: 10_000, kept: 50, share: 2 },
  GARBAGE_COLLECTION: { job: 'run-garbage-collection', failures: 3, retried: false, backoffMs: 10_000, kept: 50, exclusive: true },
  PURGE_AUDIT_LOG: { job: 'run-audit-purge', failures: 3, retried: false, backoffMs: 10_000, kept: 10, exclusive: true },
  STORAGE_RECONCILIATION: { job: 'run-reconciliation', failures: 5, retried: true, backoffMs: 30_000, kept: 20, exclusive: true },
  // A receiver that is down for an hour misses nothing, and has everything some minutes after it is back.
  WEBHOOK: { job: 'run-webhook', failures: 24, retried: true, backoffMs: 5000, mostBackoffMs: 600_000, kept: 50, share: 8 },
  SLACK: { job: 'run-slack', failures: 24, retried: true, backoffMs: 5000, mostBackoffMs: 600_000, kept: 50, share: 4 },
  SCAN_ALL: { job: 'run-scan-all', failures: 3, retried: false, backoffMs: 10_000, kept: 1, exclusive: true },
  SCAN_DATA_EXPORT: { job: 'run-scan-data-export', failures: 3, retried: false, backoffMs: 10_000, kept: 50 },
} as const satisfies Record<string, Vendor>;

export type VendorType = keyof typeof VENDORS;

export const VENDOR_TYPES = Object.keys(VENDORS) as VendorType[];

/** What this kind of execution asks for. */
export function vendorOf(type: VendorType): Vendor {
  return VENDORS[type];
}

/** Whether this build knows such executions. */
export function isVendorType(text: string): text is VendorType {
  return Object.hasOwn(VENDORS, text);
}
