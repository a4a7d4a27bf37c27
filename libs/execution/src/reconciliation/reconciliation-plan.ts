import type { ExecutionOwner, NewExecution } from '../execution.js';
import type { ExecutionTrigger } from '../status.js';

/** Whose executions and schedule comparisons of storage with the catalog are: the installation has one storage. */
export const RECONCILIATION = { vendorType: 'STORAGE_RECONCILIATION', vendorId: 0 } as const satisfies ExecutionOwner;

/** `few`: unless there are so many that storage itself looks wrong. */
export type MarkLost = 'none' | 'few' | 'all';

/** What a comparison of storage with the catalog shall do; the attributes of its execution. */
export interface ReconciliationRun {
  /** Whether what nobody needs is removed, and not only reported. */
  readonly reclaim: boolean;
  /** Whether the bytes of every blob are read and compared with its digest. */
  readonly rehash: boolean;
  /** Which blobs that lack their bytes are marked as lost, so that clients push them again; `few`, where it is left out. */
  readonly mark_lost?: MarkLost;
  /** What was written within so many seconds is left alone. */
  readonly grace_seconds: number;
}

/** What was found of one kind: how many, and their bytes in storage. */
export interface ReconciliationCount {
  readonly count: number;
  readonly bytes: number;
}

/** How far a comparison came; the attributes of its task. */
export interface ReconciliationProgress {
  readonly phase: 'blobs' | 'uploads' | 'second-look' | 'report' | 'done';
  /** The last digest that was compared, or the last finding that was written into the log. */
  readonly after: string;
  /** What was written after this moment is left alone; ISO 8601. */
  readonly before: string;
  /** Blobs in storage, and their bytes. */
  readonly stored: ReconciliationCount;
  /** Blobs in the catalog. */
  readonly known: number;
  /** Blobs whose bytes were read. */
  readonly rehashed: ReconciliationCount;
  /** Blobs that the catalog does not know, left alone because they were written a moment ago. */
  readonly young: number;
  /** By kind of finding; written when the comparison has ended. */
  readonly found?: Readonly<Record<string, ReconciliationCount>>;
  /** By what was done about it. */
  readonly outcomes?: Readonly<Record<string, ReconciliationCount>>;
  /** Why no blob was marked as lost although some lack their bytes. */
  readonly not_marked?: string;
}

export interface ReconciliationToPlan {
  readonly trigger: ExecutionTrigger;
  /** Who asked for it, such as `user:3`; empty for a schedule. */
  readonly startedBy: string;
  readonly run: ReconciliationRun;
}

export function planReconciliation({ trigger, startedBy, run }: ReconciliationToPlan): NewExecution {
  return { ...RECONCILIATION, trigger, startedBy, attributes: { ...run }, tasks: [{}] };
}
