import { Injectable } from '@nestjs/common';
import { Problem, type LdapFailedImportUser, type LdapUser, type UserGroup } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { readOnlyProblem } from '../../configuration/read-only-problem.js';
import { LDAP, type GroupIdentity } from '../../group/group-rules.js';
import { IdentityStore, type Account } from '../identity.store.js';
import { LoginRefused } from '../login-mode.js';
import { OnboardingService } from '../onboarding.service.js';
import { DirectoryFault } from './directory-fault.js';
import { DirectoryService } from './directory.service.js';
import type { Directory } from './directory.js';
import { keyOf } from './group-lookup.js';

/** What administrators look up in the directory, and the people whom they make known before they log in. */
@Injectable()
export class LdapPeopleService {
  constructor(
    private readonly directories: DirectoryService,
    private readonly onboarding: OnboardingService,
    private readonly accounts: IdentityStore,
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  /** @throws Problem BAD_REQUEST when the directory cannot be asked; so do the others */
  searchPeople(name: string): Promise<LdapUser[]> {
    return this.#asked(async (directory) => directory.searchPeople(name));
  }

  /** @throws Problem NOT_FOUND when there is none */
  async searchGroups({ name, dn }: { readonly name: string; readonly dn: string }): Promise<UserGroup[]> {
    if (dn !== '' && keyOf(dn) === undefined) throw new Problem('BAD_REQUEST', 'groupdn is not a distinguished name like cn=developers,ou=groups,dc=example,dc=org');
    const found = await this.#asked(async (directory) => (dn === '' ? directory.searchGroups(name) : [await directory.findGroup(dn)].filter((group) => group !== undefined)));
    if (found.length === 0) throw new Problem('NOT_FOUND', 'the directory has no such group below ldap_group_base_dn that matches ldap_group_search_filter');
    return found.map((group) => ({ id: 0, group_name: group.name, group_type: LDAP, ldap_group_dn: group.dn }));
  }

  /** Makes accounts for these people; resolves to those for whom there is none now. */
  async import(names: readonly string[]): Promise<LdapFailedImportUser[]> {
    const failed: LdapFailedImportUser[] = [];
    if ((await this.configuration.current()).read_only) throw readOnlyProblem(); // each account that is made is audited by itself, so the guard does not know
    if (names.length > 0) await this.#requireLdapMode();
    for (const uid of names) {
      const fault = await this.#importOne(uid);
      if (fault !== undefined) failed.push({ uid, error: fault });
    }
    return failed;
  }

  /** The account of a person in the directory, made when there is none; undefined for nobody's name and where people log in another way. */
  async accountOf(name: string): Promise<Account | undefined> {
    if ((await this.configuration.current()).auth_mode !== 'ldap_auth') return undefined;
    const person = await this.#asked((directory) => directory.find(name));
    return person && this.onboarding.onboard(person);
  }

  /**
   * The id of the account that has this name, made when only the directory knows it; undefined for nobody's name.
   *
   * @throws Problem BAD_REQUEST also for somebody in the directory who can have no account
   */
  async idOf(name: string): Promise<number | undefined> {
    const known = await this.accounts.findAccount(name);
    if (known !== undefined) return known.id;
    try {
      return (await this.accountOf(name))?.id;
    } catch (cause) {
      if (cause instanceof LoginRefused) throw new Problem('BAD_REQUEST', cause.message, { cause });
      throw cause;
    }
  }

  /** @throws Problem BAD_REQUEST when people log in through the directory and it has no such group */
  async requireGroup({ type, dn }: GroupIdentity): Promise<void> {
    if (type !== LDAP || (await this.configuration.current()).auth_mode !== 'ldap_auth') return;
    const found = await this.#asked((directory) => directory.findGroup(dn));
    if (found === undefined) throw new Problem('BAD_REQUEST', 'ldap_group_dn: the directory has no such group below ldap_group_base_dn that matches ldap_group_search_filter');
  }

  async #requireLdapMode(): Promise<void> {
    const { auth_mode: mode } = await this.configuration.current();
    if (mode !== 'ldap_auth') throw new Problem('BAD_REQUEST', `people can be imported from a directory only while auth_mode is ldap_auth; it is ${mode}`);
  }

  async #importOne(uid: string): Promise<string | undefined> {
    if (uid.trim() === '') return 'empty_uid';
    try {
      return (await this.accountOf(uid)) === undefined ? 'unknown_user' : undefined;
    } catch (error) {
      if (error instanceof LoginRefused || (error instanceof Problem && error.cause instanceof DirectoryFault)) return error.message;
      throw error;
    }
  }

  async #asked<Result>(question: (directory: Directory) => Promise<Result>): Promise<Result> {
    try {
      return await question(await this.directories.current());
    } catch (cause) {
      if (!(cause instanceof DirectoryFault)) throw cause;
      this.logger.warn('the directory could not be asked', { reason: cause.message, kind: cause.kind });
      throw new Problem('BAD_REQUEST', `the directory could not be asked: ${cause.message}`, { cause });
    }
  }
}
