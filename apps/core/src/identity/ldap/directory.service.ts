import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Configuration } from '@haven/api';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { ChosenGroupLookup } from './active-directory/domain-group-lookup.js';
import { DirectoryFault } from './directory-fault.js';
import { Directory } from './directory.js';
import { ldapSettings, settingsFaults } from './ldap-settings.js';

interface Current {
  readonly configuration: Configuration;
  readonly fingerprint: string;
  readonly directory: Directory;
}

/** The directory of the settings as they are now. Connections live until the settings change. */
@Injectable()
export class DirectoryService implements BeforeApplicationShutdown {
  #current: Current | undefined;

  constructor(private readonly configuration: ConfigurationService) {}

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
    const directory = same ? before.directory : new Directory(settings, new ChosenGroupLookup());
    this.#current = { configuration, fingerprint: settings.fingerprint, directory };
    if (!same) void before?.directory.close();
    return directory;
  }
}
