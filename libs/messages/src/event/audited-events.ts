import type { EventName } from './events.js';

/** The events that become lines of the audit trail; an operation that changes something writes one of them. */
export const AUDITED_EVENTS = [
  'audit.recorded', 'artifact.pushed', 'artifact.pulled', 'artifact.deleted', 'artifact.restored', 'tag.created', 'tag.moved', 'tag.deleted',
  'repository.created', 'repository.deleted', 'repository.restored',
] as const satisfies readonly EventName[];

export type AuditedEvent = (typeof AUDITED_EVENTS)[number];

/**
 * Text that came from outside as one line of at most `most` characters: control characters, line separators and marks
 * that turn the direction of writing become U+FFFD, so that nobody can make one entry of a trail look like another.
 */
export function oneLine(text: string, most: number): string {
  return text.slice(0, most).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}
