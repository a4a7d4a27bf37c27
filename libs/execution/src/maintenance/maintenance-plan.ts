import type { Attributes, ExecutionOwner, NewExecution } from '../execution.js';
import type { ExecutionTrigger } from '../status.js';

/** The attributes of a garbage collection, by their names in the Harbor API. */
export interface GarbageParameters {
  /** Also deletes artifacts that no tag names. */
  readonly delete_untagged: boolean;
  /** Only counts. */
  readonly dry_run: boolean;
  /** How many blobs are deleted at the same time: 1 to 10. */
  readonly workers: number;
}

/** The attributes of a purge of the audit trail, by their names in the Harbor API. */
export interface AuditPurgeParameters {
  /** Lines that are older go; 0 or less: none. */
  readonly audit_retention_hour: number;
  /** Kinds of lines, separated by commas; `other` stands for all but those of artifacts. */
  readonly include_event_types: string;
  readonly dry_run: boolean;
}

/** Work on the whole installation: each run has one task, and one runs at a time. */
export type Maintenance = 'GARBAGE_COLLECTION' | 'PURGE_AUDIT_LOG';

export interface MaintenanceToPlan {
  readonly type: Maintenance;
  readonly trigger: ExecutionTrigger;
  readonly startedBy: string;
  readonly parameters: Attributes;
  /** When it must not run at all: why, for people. */
  readonly refusal?: string | undefined;
}

/** Whose executions and schedule those of a kind of maintenance are. */
export function maintenanceOwner(type: Maintenance): ExecutionOwner {
  return { vendorType: type, vendorId: 0 };
}

export function planMaintenance({ type, trigger, startedBy, parameters, refusal }: MaintenanceToPlan): NewExecution {
  const planned = { ...maintenanceOwner(type), trigger, startedBy, attributes: parameters };
  if (refusal !== undefined) return { ...planned, tasks: [], outcome: { status: 'Error', message: refusal } };
  return { ...planned, tasks: [{}] };
}
