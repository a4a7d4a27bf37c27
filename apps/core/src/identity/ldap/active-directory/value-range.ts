/** A part of the values of an attribute, as a domain answers when there are more than it sends at once ([MS-ADTS] 3.1.1.3.1.3.3). */
export interface ValueRange {
  /** The attribute without its range. */
  readonly attribute: string;
  /** What to ask for next; undefined when these were the last values. */
  readonly next: string | undefined;
}

const RANGED = /^([A-Za-z][A-Za-z0-9-]{0,100});range=(\d{1,9})-(\d{1,9}|\*)$/i;

/** What the name of an answered attribute says about its values; undefined when they are all of them. */
export function valueRange(name: string): ValueRange | undefined {
  const [, attribute, first, last] = RANGED.exec(name) ?? [];
  if (attribute === undefined || first === undefined || last === undefined) return undefined;
  const end = Number(last);
  return { attribute, next: last === '*' || end < Number(first) ? undefined : `${attribute};range=${end + 1}-*` };
}

/** An answered entry: values by attribute. */
export type RangedEntry = Readonly<Record<string, unknown>>;

export interface RangedValues {
  /** The values answered so far, none when the entry has no such attribute. */
  readonly values: readonly unknown[];
  readonly next: string | undefined;
}

/**
 * The values of an attribute in an answered entry, whichever way its name is spelled. A domain answers an attribute with
 * more than 1,500 values empty, beside another with the same name and a range.
 */
export function rangedValues(entry: RangedEntry, attribute: string): RangedValues {
  const wanted = attribute.toLowerCase();
  const values: unknown[] = [];
  let next: string | undefined;
  for (const [name, value] of Object.entries(entry)) {
    const range = valueRange(name);
    if ((range?.attribute ?? name).toLowerCase() !== wanted) continue;
    values.push(...(Array.isArray(value) ? value : [value]));
    next ??= range?.next;
  }
  return { values, next };
}
