import { z } from 'zod';
import type { Configuration } from './configuration.js';

/** A line of the audit trail in its old form. */
export const AuditLog = z.object({
  id: z.number().int(),
  username: z.string(),
  resource: z.string(),
  resource_type: z.string(),
  operation: z.string(),
  op_time: z.iso.datetime(),
}).meta({ id: 'AuditLog' });
export type AuditLog = z.infer<typeof AuditLog>;

/** A line of the audit trail: who did what to what, when, and whether it worked. */
export const AuditLogExt = AuditLog.extend({
  operation_description: z.string(),
  operation_result: z.boolean(),
}).meta({ id: 'AuditLogExt' });
export type AuditLogExt = z.infer<typeof AuditLogExt>;

/** A kind of line, `<operation>_<resource_type>`: what `disabled_audit_log_event_types` names. */
export const AuditLogEventType = z.object({ event_type: z.string() }).meta({ id: 'AuditLogEventType' });
export type AuditLogEventType = z.infer<typeof AuditLogEventType>;

/** The settings that say what the audit trail leaves out. */
export type AuditSwitches = Pick<Configuration, 'pull_audit_log_disable' | 'disabled_audit_log_event_types'>;

/** The name of a kind of line, e.g. "pull_artifact". */
export function auditEventType({ operation, resourceType }: { readonly operation: string; readonly resourceType: string }): string {
  return `${operation}_${resourceType}`;
}

/** Whether administrators have not switched this kind of line off. */
export function isAudited(eventType: string, switches: AuditSwitches): boolean {
  if (eventType === 'pull_artifact' && switches.pull_audit_log_disable) return false;
  return !switches.disabled_audit_log_event_types.split(',').some((name) => name.trim() === eventType);
}
