import type { ExternalGroup, ExternalUser } from '../external-user.js';
import { shutOutReason } from './account-state.js';
import type { DirectoryConnection, Search, Unfollowed } from './directory-connection.js';
import type { DirectoryEntry } from './directory-entry.js';
import { DirectoryFault } from './directory-fault.js';
import { allOf, equals } from './directory-filter.js';
import { DirectoryPool } from './directory-pool.js';
import { groupOf, isBelow, PlainGroupLookup, readGroup, type GroupLookup } from './group-lookup.js';
import type { LdapSettings } from './ldap-settings.js';
import { BINARY_ATTRIBUTES, externalIdOf, hasName, idFilter, personAttributes, personOf, type Person } from './person.js';

/** Entries that a search for administrators answers at most. */
const MOST_FOUND = 10_000;

/** One directory, as it is reached with one state of the settings. Every method throws DirectoryFault. */
export class Directory {
  readonly settings: LdapSettings;
  readonly #pool: DirectoryPool;
  readonly #lookup: GroupLookup;

  /** @param unfollowed told of references to other servers that are not followed */
  constructor(settings: LdapSettings, lookup: GroupLookup = new PlainGroupLookup(), unfollowed: Unfollowed = () => undefined) {
    this.settings = settings;
    this.#pool = new DirectoryPool(settings, unfollowed);
    this.#lookup = lookup;
  }

  /** The person with this name, when the password is theirs and the directory does not shut them out. */
  async authenticate(name: string, password: string): Promise<ExternalUser | undefined> {
    if (name === '' || password === '') return undefined;
    const entry = await this.#pool.search((connection) => this.#entryNamed(connection, name));
    const right = await this.#pool.verify(entry?.dn ?? this.#nobody(), password, entry?.server);
    if (entry === undefined || !right) return undefined;
    return this.#pool.search((connection) => this.#described(connection, entry));
  }

  /** The person with this name, without a password; for administrators. */
  async find(name: string): Promise<ExternalUser | undefined> {
    return this.#pool.search(async (connection) => {
      const entry = name === '' ? undefined : await this.#entryNamed(connection, name);
      return entry && this.#described(connection, entry);
    });
  }

  /** What the directory says now of somebody whom it has known; undefined when it has nobody like that any more, or shuts them out. */
  async describe(externalId: string, place: string | undefined): Promise<ExternalUser | undefined> {
    return this.#pool.search(async (connection) => {
      const entry = await this.#entryOf(connection, externalId, place);
      return entry && this.#described(connection, entry);
    });
  }

  /** People with exactly this name; everybody, up to a bound, for ''. */
  async searchPeople(name: string): Promise<Person[]> {
    const { uid } = this.settings;
    const filter = name === '' ? `(${uid}=*)` : equals(uid, name);
    const entries = await this.#pool.search((connection) => connection.search({ ...this.#people(filter), attributes: [uid, 'uid', 'cn', 'displayName', 'mail', 'email'], most: MOST_FOUND }));
    return entries.flatMap((entry) => personOf(entry, this.settings) ?? []);
  }

  /** Groups with exactly this name; all, up to a bound, for ''. */
  async searchGroups(name: string): Promise<Required<ExternalGroup>[]> {
    const { baseDn: base, scope, filter, nameAttribute } = this.settings.groups;
    const named = name === '' ? `(${nameAttribute}=*)` : equals(nameAttribute, name);
    const entries = await this.#pool.search((connection) => connection.search({ base, scope, filter: allOf(filter, named), attributes: [nameAttribute], most: MOST_FOUND }));
    return entries.map((entry) => groupOf(entry, this.settings));
  }

  /** The group with this DN; undefined when there is none below the base for groups that matches their filter. */
  async findGroup(dn: string): Promise<Required<ExternalGroup> | undefined> {
    if (!isBelow(dn, this.settings.groups.baseDn)) return undefined;
    const [entry] = await this.#pool.search((connection) => readGroup(connection, dn, this.settings));
    return entry && groupOf(entry, this.settings);
  }

  /** Logs in as the search account, looks for the base, and for somebody who is not there: on every server to which the directory refers. */
  async ping(): Promise<void> {
    const { baseDn } = this.settings;
    const found = await this.#pool.search((connection) => connection.search({ base: baseDn, scope: 'base', filter: '(objectClass=*)', attributes: ['1.1'], most: 1 }));
    if (found.length === 0) throw new DirectoryFault('refused', `${baseDn} (ldap_base_dn) is not there, or the search account may not see it`);
    await this.#pool.search((connection) => connection.search(this.#people(equals(this.settings.uid, 'haven-nobody'))));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #entryNamed(connection: DirectoryConnection, name: string): Promise<DirectoryEntry | undefined> {
    const [entry, ...others] = await connection.search(this.#people(equals(this.settings.uid, name)));
    if (others.length > 0) throw new DirectoryFault('ambiguous', `several entries have ${this.settings.uid}=${JSON.stringify(name)}: ${[entry, ...others].map((one) => one?.dn).join(' and ')}; give each its own name, or narrow ldap_filter or ldap_base_dn`);
    return entry !== undefined && hasName(entry, name, this.settings) ? entry : undefined;
  }

  /** Looks where the entry was last, then everywhere: it may have been moved, and another may be in its place. */
  async #entryOf(connection: DirectoryConnection, externalId: string, place: string | undefined): Promise<DirectoryEntry | undefined> {
    if (place !== undefined && isBelow(place, this.settings.baseDn)) {
      const [entry] = await connection.searchHere({ ...this.#people(''), base: place, scope: 'base' });
      if (entry !== undefined && externalIdOf(entry) === externalId) return entry;
    }
    const filter = idFilter(externalId);
    const [entry] = filter === undefined ? [] : await connection.search(this.#people(filter));
    return entry !== undefined && externalIdOf(entry) === externalId ? entry : undefined;
  }

  async #described(connection: DirectoryConnection, entry: DirectoryEntry): Promise<ExternalUser | undefined> {
    const person = personOf(entry, this.settings);
    const externalId = externalIdOf(entry);
    if (person === undefined || externalId === undefined || shutOutReason(entry) !== undefined) return undefined;
    const { groups, admin } = await this.#lookup.groupsOf(connection, entry, this.settings);
    return { source: 'ldap', externalId, ...person, groups, admin, place: entry.dn };
  }

  #people(filter: string): Search {
    const { baseDn: base, scope, uid } = this.settings;
    return { base, scope, filter: allOf(this.settings.filter, filter) || `(${uid}=*)`, attributes: personAttributes(this.settings), binary: BINARY_ATTRIBUTES, most: 2 };
  }

  /** A DN that nobody has, so that a name that nobody has costs as much as a wrong password. */
  #nobody(): string {
    return `cn=haven-nobody,${this.settings.baseDn}`;
  }
}
