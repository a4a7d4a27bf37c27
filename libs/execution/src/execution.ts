import type { ExecutionStatus, ExecutionTrigger, FinalStatus, TaskCounts } from './status.js';
import type { VendorType } from './vendor.js';

/** Whose executions: a kind, and the policy (or what else) of that kind. Nothing is found under another owner. */
export interface ExecutionOwner {
  readonly vendorType: VendorType;
  /** 0 for kinds of which the installation has one. */
  readonly vendorId: number;
}

/** Facts that only the owner knows the meaning of; plain JSON. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface NewExecution extends ExecutionOwner {
  readonly trigger: ExecutionTrigger;
  /** Who asked for it, such as `user:3`; empty for a schedule. */
  readonly startedBy: string;
  readonly attributes: Attributes;
  /** The attributes of each task. */
  readonly tasks: readonly Attributes[];
  /** How an execution without tasks ends at once; by success, when it is left out. */
  readonly outcome?: { readonly status: FinalStatus; readonly message: string };
}

/** Tasks of one kind that are due: what the queue is told of. */
export interface DueTasks {
  readonly vendorType: VendorType;
  readonly taskIds: readonly number[];
}

export interface StartedExecution extends DueTasks {
  readonly id: number;
}

export interface Execution extends ExecutionOwner {
  readonly id: number;
  readonly status: ExecutionStatus;
  readonly statusMessage: string;
  readonly trigger: ExecutionTrigger;
  readonly attributes: Attributes;
  readonly startedBy: string;
  readonly startedAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | undefined;
}

export interface Task {
  readonly id: number;
  readonly executionId: number;
  /** A UUID. */
  readonly jobId: string;
  readonly status: ExecutionStatus;
  readonly statusMessage: string;
  /** Grows with every change of the status: seconds since 1970. */
  readonly statusRevision: number;
  /** How often a worker began it. */
  readonly attempts: number;
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
}

/** Where a task is, by its job id. */
export interface TaskPlace {
  readonly owner: ExecutionOwner;
  readonly executionId: number;
  readonly taskId: number;
}

/** What the tasks of an execution say about themselves, put together. */
export interface TaskReport {
  readonly attributes: Attributes;
  /** Of the last task that says something. */
  readonly message: string;
}

/** One page of a list, with the number of items on all pages. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

/** From 1, and how many items a page has. */
export interface PageOf {
  readonly page: number;
  readonly size: number;
}

/** Which executions of an owner are listed, and in which order. */
export interface ExecutionFilter {
  readonly status?: string;
  readonly trigger?: string;
  /** Left out: the latest first. */
  readonly oldestFirst?: boolean;
}

export type CountsOfExecutions = ReadonlyMap<number, TaskCounts>;
