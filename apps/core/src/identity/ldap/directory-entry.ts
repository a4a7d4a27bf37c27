import type { Entry } from 'ldapts';
import type { DirectoryServer } from './directory-url.js';

/** One entry of the directory as it was read. Names of attributes are in any case. */
export class DirectoryEntry {
  readonly dn: string;
  /** Where it was read, which need not be a server of ldap_url; undefined for entries that no server gave. */
  readonly server: DirectoryServer | undefined;
  readonly #values = new Map<string, readonly (string | Buffer)[]>();

  constructor({ dn, ...attributes }: Entry, server?: DirectoryServer) {
    this.dn = dn;
    this.server = server;
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
