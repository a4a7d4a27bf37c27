import { Problem } from '@haven/api';
import type { AuditPurgeParameters, GarbageParameters } from '@haven/execution';

type Given = Readonly<Record<string, unknown>>;

const MOST_WORKERS = 10;
/** More than 27 years. */
const MOST_HOURS = 240_000;
/** Stands for every kind of line but those of artifacts. */
const OTHER = 'other';

/** @throws Problem BAD_REQUEST naming the parameter. */
export function readGarbageParameters(given: Given): GarbageParameters {
  const workers = given['workers'] ?? 1;
  if (typeof workers !== 'number' || !Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) throw new Problem('BAD_REQUEST', `parameters.workers must be a whole number from 1 to ${MOST_WORKERS}`);
  return { delete_untagged: flag(given, 'delete_untagged'), dry_run: flag(given, 'dry_run'), workers };
}

/** `known` are the kinds of lines that there are. @throws Problem BAD_REQUEST naming the parameter. */
export function readAuditPurgeParameters(given: Given, known: ReadonlySet<string>): AuditPurgeParameters {
  const hours = given['audit_retention_hour'];
  if (typeof hours !== 'number' || !Number.isInteger(hours) || hours > MOST_HOURS || hours < -MOST_HOURS) throw new Problem('BAD_REQUEST', `parameters.audit_retention_hour must be a whole number of hours, at most ${MOST_HOURS}`);
  const kinds = given['include_event_types'];
  if (typeof kinds !== 'string' || kinds.trim() === '') throw new Problem('BAD_REQUEST', 'parameters.include_event_types must name the kinds of lines to remove, separated by commas');
  const names = kinds.split(',').map((kind) => kind.trim()).filter((kind) => kind !== '');
  const unknown = names.find((name) => name !== OTHER && !known.has(name));
  if (unknown !== undefined) throw new Problem('BAD_REQUEST', `parameters.include_event_types: there is no kind "${unknown.slice(0, 64)}"; GET /auditlog-exts/events lists them, and "${OTHER}" is all but those of artifacts`);
  return { audit_retention_hour: hours, include_event_types: [...new Set(names)].join(','), dry_run: flag(given, 'dry_run') };
}

function flag(given: Given, name: string): boolean {
  const value = given[name] ?? false;
  if (typeof value !== 'boolean') throw new Problem('BAD_REQUEST', `parameters.${name} must be true or false`);
  return value;
}
