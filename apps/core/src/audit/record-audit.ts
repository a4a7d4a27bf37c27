import { subjectId, type Caller } from '@haven/access';
import { appendEvents, currentOrigin, type Origin, type Transaction } from '@haven/database';
import { AUDITED_EVENTS, oneLine } from '@haven/messages';
import type { AuditedAs } from '../http/operation.js';

const LONGEST_RESOURCE = 1024;
const LONGEST_DESCRIPTION = 2048;

/** What was done, for the audit trail. Never put a secret into it: for settings, the keys and not their values. */
export interface AuditEntry extends AuditedAs {
  /** What it was done to, as people name it: a project's or user's name, "project/repository:tag". */
  readonly resource: string;
  /** One sentence, e.g. "create label: stable". */
  readonly description: string;
  /** The project that it belongs to; its members with log:list see the entry. */
  readonly project?: number;
  /** Left out: it worked. */
  readonly result?: boolean;
}

/**
 * Writes a line of the audit trail in the transaction that makes it true; the job service adds it to the trail. Who and
 * from where come from the request that is going on.
 */
export async function recordAudit(transaction: Transaction, caller: Caller, { result = true, ...entry }: AuditEntry): Promise<void> {
  const payload = { ...entry, resource: oneLine(entry.resource, LONGEST_RESOURCE), description: oneLine(entry.description, LONGEST_DESCRIPTION), result };
  await appendEvents(transaction, [{ type: 'audit.recorded', payload, actor: subjectId(caller.subject) }]);
}

const NO_CHANGE = 'audit.no-change';

/** Says that the operation that is going on found nothing to change, so that nobody misses its line in the trail. */
export function recordNoChange(): void {
  const origin = currentOrigin();
  if (origin !== undefined) (origin.told ??= new Set()).add(NO_CHANGE);
}

/** Whether the operation with this origin left a line for the trail, or said that it changed nothing. */
export function isRecorded({ told }: Origin): boolean {
  return told !== undefined && (told.has(NO_CHANGE) || AUDITED_EVENTS.some((type) => told.has(type)));
}
