import { auditEventType, isAudited, type Configuration } from '@haven/api';
import { AUDITED_EVENTS, type DeliveredEvent } from '@haven/messages';
import { Batches } from '../event/batches.js';
import type { EventSubscriber } from '../event/subscribers.js';
import { entryOf, type AuditEntry } from './audit-entry.js';
import type { AuditForwarder } from './audit-forwarder.js';
import type { AuditStore } from './audit.store.js';

/** Lines that one statement adds at most. */
const LARGEST_BATCH = 500;

export interface AuditTrailParts {
  readonly store: Pick<AuditStore, 'add' | 'namesOf'>;
  readonly forwarder: Pick<AuditForwarder, 'use' | 'send' | 'deliver'>;
  readonly configuration: { current(): Promise<Configuration> };
}

/**
 * Turns events into lines of the audit trail, each once however often its event comes. Events that come while lines are
 * being written are written together, next. An event is handled when its line is kept: in the database or, where the
 * installation keeps none, at the syslog server.
 */
export class AuditTrail implements EventSubscriber {
  readonly name = 'audit-trail';
  readonly events = AUDITED_EVENTS;
  readonly #parts: AuditTrailParts;
  readonly #batches = new Batches<AuditEntry>((entries) => this.#keep(entries), LARGEST_BATCH);

  constructor(parts: AuditTrailParts) {
    this.#parts = parts;
  }

  handle(event: DeliveredEvent): Promise<void> {
    const entry = entryOf(event);
    return entry === undefined ? Promise.resolve() : this.#batches.add(entry);
  }

  async #keep(entries: readonly AuditEntry[]): Promise<void> {
    const { configuration, forwarder, store } = this.#parts;
    const settings = await configuration.current();
    forwarder.use(settings.audit_log_forward_endpoint);
    const wanted = await this.#named(entries.filter((entry) => isAudited(auditEventType(entry), settings)), settings);
    if (wanted.length === 0) return;
    if (settings.skip_audit_log_database) return forwarder.deliver(wanted);
    const added = await store.add(wanted);
    forwarder.send(wanted.filter((entry) => added.has(entry.eventId)));
  }

  /** Gives lines without a name the name that their subject has now. */
  async #named(entries: readonly AuditEntry[], { robot_name_prefix: robotPrefix }: Configuration): Promise<AuditEntry[]> {
    const unnamed = entries.filter((entry) => entry.username === '' && entry.subject !== '').map((entry) => entry.subject);
    const names = unnamed.length === 0 ? undefined : await this.#parts.store.namesOf([...new Set(unnamed)], robotPrefix);
    return entries.map((entry) => (entry.username === '' ? { ...entry, username: names?.get(entry.subject) ?? nameless(entry) } : entry));
  }
}

/** Nobody known who asked from somewhere is anonymous; without an address it was the platform itself. */
function nameless({ subject, address }: AuditEntry): string {
  return subject === '' && address !== '' ? 'anonymous' : subject;
}
