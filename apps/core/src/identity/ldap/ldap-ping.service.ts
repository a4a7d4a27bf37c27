import { Injectable } from '@nestjs/common';
import { canOnSystem, type Caller } from '@haven/access';
import { Problem, settingOf, type Configuration, type LdapConf, type LdapPingResult } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { DirectoryFault } from './directory-fault.js';
import { Directory } from './directory.js';
import { PlainGroupLookup } from './group-lookup.js';
import { ldapSettings, settingsFaults } from './ldap-settings.js';

/** Where the stored password would go, and how well it is protected on its way. */
const DESTINATION = ['ldap_url', 'ldap_search_dn', 'ldap_verify_cert', 'ldap_start_tls', 'ldap_ca_certificate', 'ldap_referral_hosts'] as const;

const MOST_SHOWN = 5;

/** Tries the settings of the directory before people depend on them. */
@Injectable()
export class LdapPingService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  /**
   * Whether the directory answers as it should, with these settings in place of the stored ones.
   *
   * @throws Problem FORBIDDEN when the caller may not change settings and sends some
   */
  async ping(caller: Caller, given: LdapConf): Promise<LdapPingResult> {
    const stored = await this.configuration.current();
    const wanted = merged(stored, given);
    const own = Object.entries(given).some(([, value]) => value !== undefined);
    if (own && !canOnSystem(caller, 'update', 'configuration')) throw new Problem('FORBIDDEN', 'only those who may change the settings may try others than the stored ones; send an empty body');
    const password = await this.#password(given, stored, wanted);
    const faults = settingsFaults(wanted, password);
    return faults.length > 0 ? { success: false, message: faults.join('; ') } : this.#tried(wanted, password);
  }

  async #tried(wanted: Configuration, password: string): Promise<LdapPingResult> {
    const unfollowed = new Set<string>();
    const directory = new Directory(ldapSettings(wanted, password), new PlainGroupLookup(), (reference) => { unfollowed.add(reference); });
    try {
      await directory.ping();
      return { success: true, message: `the directory answers, takes the search account and has ${wanted.ldap_base_dn}${elsewhere(unfollowed)}` };
    } catch (error) {
      if (!(error instanceof DirectoryFault)) throw error;
      this.logger.warn('the directory was tried and does not work', { reason: error.message, kind: error.kind });
      return { success: false, message: error.message };
    } finally {
      await directory.close();
    }
  }

  /** The stored password goes only where it would go anyway. */
  async #password(given: LdapConf, stored: Configuration, wanted: Configuration): Promise<string> {
    const { ldap_search_password: own = '' } = given;
    if (own !== '') return own;
    return DESTINATION.every((name) => wanted[name] === stored[name]) ? this.configuration.secret('ldap_search_password') : '';
  }
}

/** What is not read of the directory, as the end of a sentence. */
function elsewhere(references: ReadonlySet<string>): string {
  if (references.size === 0) return '';
  const shown = [...references].slice(0, MOST_SHOWN).map((reference) => reference.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 200));
  return `; for parts of it the directory refers to other servers, which are not asked (ldap_referral_hosts): ${shown.join(', ')}${references.size > MOST_SHOWN ? ', …' : ''}`;
}

/** @throws Problem BAD_REQUEST for a value that no setting can have */
function merged(stored: Configuration, { ldap_connection_timeout: timeout, ldap_search_password: _password, ...given }: LdapConf): Configuration {
  const values = Object.entries({ ...given, ...(timeout === undefined || timeout === 0 ? {} : { ldap_timeout: timeout }) }).filter(([, value]) => value !== undefined);
  for (const [name, value] of values) {
    const fault = value === '' ? undefined : settingOf(name as keyof Configuration).fault(value);
    if (fault !== undefined) throw new Problem('BAD_REQUEST', `${name} ${fault}`);
  }
  return { ...stored, ...Object.fromEntries(values) };
}
