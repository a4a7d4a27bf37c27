import type { Attributes, Execution, Task } from './execution.js';
import type { ExecutionStatus, ExecutionTrigger } from './status.js';
import type { VendorType } from './vendor.js';

export interface ExecutionRow {
  readonly id: string;
  readonly vendor_type: VendorType;
  readonly vendor_id: string;
  readonly status: ExecutionStatus;
  readonly status_message: string;
  readonly trigger: ExecutionTrigger;
  readonly extra_attrs: Attributes;
  readonly started_by: string;
  readonly started_at: Date;
  readonly updated_at: Date;
  readonly ended_at: Date | null;
}

export interface TaskRow {
  readonly id: string;
  readonly execution_id: string;
  readonly job_id: string;
  readonly status: ExecutionStatus;
  readonly status_message: string;
  readonly status_revision: string;
  readonly attempts: number;
  readonly extra_attrs: Attributes;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

export const EXECUTION_FIELDS = 'id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, started_by, started_at, updated_at, ended_at';
export const TASK_FIELDS = `t.id, t.execution_id, t.job_id, t.status, t.status_message, t.status_revision, t.attempts, t.extra_attrs, t.created_at, t.updated_at,
  t.started_at, t.ended_at`;

/** What `status_revision` becomes with every change of a status. */
export const REVISION = 'greatest(status_revision + 1, extract(epoch FROM now())::bigint)';

export function executionOf(row: ExecutionRow): Execution {
  return {
    id: Number(row.id), vendorType: row.vendor_type, vendorId: Number(row.vendor_id), status: row.status, statusMessage: row.status_message, trigger: row.trigger,
    attributes: row.extra_attrs, startedBy: row.started_by, startedAt: row.started_at, updatedAt: row.updated_at, endedAt: row.ended_at ?? undefined,
  };
}

export function taskOf(row: TaskRow): Task {
  return {
    id: Number(row.id), executionId: Number(row.execution_id), jobId: row.job_id, status: row.status, statusMessage: row.status_message, statusRevision: Number(row.status_revision),
    attempts: row.attempts, attributes: row.extra_attrs, createdAt: row.created_at, updatedAt: row.updated_at, startedAt: row.started_at ?? undefined, endedAt: row.ended_at ?? undefined,
  };
}
