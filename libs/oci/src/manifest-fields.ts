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

/**
 * Refuses fields that differ from a known one only in letter case. Go's JSON reader, which most clients use, takes
 * `Layers` for `layers`: such a manifest would mean one thing here and another on the machine that runs it.
 */
export function refuseLookalikes(owner: JsonObject, fields: readonly string[], where = ''): void {
  for (const key in owner) {
    if (fields.includes(key)) continue;
    const folded = fold(key);
    const known = fields.find((field) => fold(field) === folded);
    if (known !== undefined) throw invalidManifest(`${where === '' ? '' : `${where} has `}a field that could be taken for "${known}" but is not spelled so`);
  }
}

/** Unicode simple folding as Go does it: also the long s and the Kelvin sign. */
function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}
