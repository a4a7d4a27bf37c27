import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Configuration } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { ChosenGroupLookup } from './active-directory/domain-group-lookup.js';
import type { Unfollowed } from './directory-connection.js';
import { DirectoryFault } from './directory-fault.js';
import { Directory } from './directory.js';
import { ldapSettings, settingsFaults } from './ldap-settings.js';

interface Current {
  readonly configuration: Configuration;
  readonly fingerprint: string;
  readonly directory: Directory;
}

const MOST_TOLD = 20;

/** The directory of the settings as they are now. Connections live until the settings change. */
@Injectable()
export class DirectoryService implements BeforeApplicationShutdown {
  #current: Current | undefined;

  constructor(
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.#current?.directory.close();
  }

  /** @throws DirectoryFault of the kind "settings" when they are not complete */
  async current(): Promise<Directory> {
    const configuration = await this.configuration.current();
    if (this.#current?.configuration === configuration) return this.#current.directory;
    const password = await this.configuration.secret('ldap_search_password');
    const [fault] = settingsFaults(configuration, password);
    if (fault !== undefined) throw new DirectoryFault('settings', fault);
    return this.#use(configuration, password);
  }

  #use(configuration: Configuration, password: string): Directory {
    const settings = ldapSettings(configuration, password);
    const before = this.#current;
    const same = before?.fingerprint === settings.fingerprint;
    const directory = same ? before.directory : new Directory(settings, new ChosenGroupLookup(), this.#onUnfollowed());
    this.#current = { configuration, fingerprint: settings.fingerprint, directory };
    if (!same) void before?.directory.close();
    return directory;
  }

  /** Every reference gets one line for each state of the settings: a domain sends its own with every search. */
  #onUnfollowed(): Unfollowed {
    const told = new Set<string>();
    return (reference) => {
      if (told.has(reference) || told.size >= MOST_TOLD) return;
      told.add(reference);
      this.logger.warn('the directory refers to another server for a part of it, which is not asked: nobody there can log in unless ldap_referral_hosts allows it', { reference: reference.slice(0, 200) });
    };
  }
}
