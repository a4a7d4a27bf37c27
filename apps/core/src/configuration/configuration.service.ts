import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { openSecret } from '@haven/access';
import { configurationOf, type Configuration, type SecretSetting } from '@haven/api';
import { Database, readSettings, SettingsTable } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { CoreOptions } from '../platform/core-options.js';

/** The settings that administrators change while the installation runs. */
@Injectable()
export class ConfigurationService implements OnModuleDestroy {
  readonly #table: SettingsTable<Configuration>;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(
    private readonly database: Database,
    private readonly options: CoreOptions,
    broadcasts: Broadcasts,
  ) {
    this.#table = new SettingsTable(database, configurationOf);
    this.#unsubscribe = [broadcasts.on('settings-changed', () => this.forget()), broadcasts.onReconnect(() => this.forget())];
  }

  onModuleDestroy(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** What they are now, from memory where possible. Rejects when they cannot be read: nobody goes on with a guess. */
  current(): Promise<Configuration> {
    return this.#table.current();
  }

  /** A secret among the settings, opened; '' when it is not set. */
  async secret(name: SecretSetting): Promise<string> {
    const sealed = (await readSettings(this.database)).get(name);
    if (sealed === undefined) return '';
    if (typeof sealed !== 'string') throw new Error(`the setting ${name} in the database is not valid`);
    return openSecret(this.options.secretKey, sealed, secretContext(name));
  }

  /** The settings in memory are old. */
  forget(): void {
    this.#table.forget();
  }
}

/** What a sealed setting is bound to, so that it opens in its own row only. */
export function secretContext(name: SecretSetting): string {
  return `setting:${name}`;
}
