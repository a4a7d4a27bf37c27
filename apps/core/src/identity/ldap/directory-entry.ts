import type { Entry } from 'ldapts';

/** One entry of the directory as it was read. Names of attributes are in any case. */
export class DirectoryEntry {
  readonly dn: string;
  readonly #values = new Map<string, readonly (string | Buffer)[]>();

  constructor({ dn, ...attributes }: Entry) {
    this.dn = dn;
    for (const [name, value] of Object.entries(attributes)) this.#values.set(name.toLowerCase(), Array.isArray(value) ? value : [value]);
  }

  /** The text values of an attribute; bytes that are no text are left out. */
  all(attribute: string): readonly string[] {
    return (this.#values.get(attribute.toLowerCase()) ?? []).filter((value) => typeof value === 'string');
  }

  first(attribute: string): string | undefined {
    return this.all(attribute).find((value) => value !== '');
  }

  /** The first value as bytes. */
  bytes(attribute: string): Buffer | undefined {
    const [value] = this.#values.get(attribute.toLowerCase()) ?? [];
    return value === undefined ? undefined : Buffer.from(value as string);
  }
}
