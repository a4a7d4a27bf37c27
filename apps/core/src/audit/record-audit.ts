import { subjectId, type Caller } from '@haven/access';
import { appendEvents, type Transaction } from '@haven/database';
import type { AuditedAs } from '../http/operation.js';

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
  await appendEvents(transaction, [{ type: 'audit.recorded', payload: { ...entry, result }, actor: subjectId(caller.subject) }]);
}
