import type { AuditEntry } from './audit-entry.js';

/** Facility 13 (log audit) and severity 6 (informational): 13 × 8 + 6. */
const PRIORITY = 110;

/** A line of the audit trail as a syslog message (RFC 5424) of attributes, ended by a line feed. */
export function syslogLine(entry: AuditEntry, host: string): string {
  const time = entry.at.toISOString();
  const attributes: Record<string, string> = {
    action: entry.operation,
    operator: entry.username,
    resourceType: entry.resourceType,
    resource: entry.resource,
    result: entry.result ? 'success' : 'failure',
    time,
    address: entry.address,
    requestId: entry.requestId,
    description: entry.description,
    id: entry.eventId,
  };
  const text = Object.entries(attributes).map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`).join(' ');
  return `<${PRIORITY}>1 ${time} ${host.replace(/[^\x21-\x7e]/g, '-').slice(0, 255) || '-'} haven - audit - ${text}\n`;
}
