import { configurationOf, type Configuration } from '@haven/api';
import { SettingsTable, type Database } from '@haven/database';
import type { Broadcasts } from '@haven/messages';
import { OciError } from '@haven/oci';

/** The settings that administrators change while the installation runs: at once on a broadcast, otherwise within five seconds. */
export class LiveConfiguration {
  readonly #table: SettingsTable<Configuration>;
  readonly #broadcasts: Broadcasts;
  #unsubscribe: readonly (() => void)[] = [];

  constructor(parts: { readonly database: Database; readonly broadcasts: Broadcasts }) {
    this.#table = new SettingsTable(parts.database, configurationOf);
    this.#broadcasts = parts.broadcasts;
  }

  start(): void {
    const forget = (): void => this.#table.forget();
    this.#unsubscribe = [this.#broadcasts.on('settings-changed', forget), this.#broadcasts.onReconnect(forget)];
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** Rejects when the settings cannot be read: nobody goes on with a guess. */
  current(): Promise<Configuration> {
    return this.#table.current();
  }

  /** Rejects with DENIED while nothing may be changed. */
  async requireWritable(): Promise<void> {
    if ((await this.current()).read_only) {
      throw new OciError('DENIED', { message: 'The system is in read-only mode: nothing can be changed until an administrator ends it.' });
    }
  }
}
