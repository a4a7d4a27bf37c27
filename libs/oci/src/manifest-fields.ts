import { OciError } from './errors.js';

/** A parsed JSON object whose fields have not been looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a field says something: Go programs write `null` for what they leave out. */
export function isPresent(owner: JsonObject, field: string): boolean {
  return owner[field] !== undefined && owner[field] !== null;
}

export function invalidManifest(reason: string, cause?: unknown): OciError {
  return new OciError('MANIFEST_INVALID', { message: `The manifest is malformed: ${reason}.`, ...(cause !== undefined && { cause }) });
}

/** The fields that a reader knows, for {@link refuseLookalikes}: from their folded to their right spelling. */
export type KnownFields = ReadonlyMap<string, string>;

export function knownFields(...fields: string[]): KnownFields {
  return new Map(fields.map((field) => [fold(field), field]));
}

/**
 * Refuses fields that differ from a known one only in letter case. Go's JSON reader, which most clients use, takes
 * `Layers` for `layers`: such a manifest would mean one thing here and another on the machine that runs it.
 */
export function refuseLookalikes(owner: JsonObject, fields: KnownFields, where = ''): void {
  for (const key in owner) {
    const known = fields.get(fold(key));
    if (known === undefined || known === key) continue;
    throw invalidManifest(`${where === '' ? 'it' : where} has a field that could be taken for "${known}" but is not spelled so`);
  }
}

/** Letter case is folded as Go does it, which also takes the long s for an s and the Kelvin sign for a k. */
function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}
