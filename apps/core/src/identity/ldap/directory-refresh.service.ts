import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { LoginRefused } from '../login-mode.js';
import { OnboardingService } from '../onboarding.service.js';
import { DirectoryFault } from './directory-fault.js';
import { DirectoryRefreshStore, type RefreshedAccount } from './directory-refresh.store.js';
import { DirectoryService } from './directory.service.js';
import type { Directory } from './directory.js';

const LOOK_EVERY_MS = 30_000;
const AT_ONCE = 4;
const BATCH = 200;
/** Minutes for which what a directory said holds while it cannot be asked; session.store.ts holds sessions to the same. */
const LONGEST_SILENCE = 60;

/**
 * Asks the directory again about everybody who may have a session or a token: who has left a group loses what it gave
 * them, who has left the directory loses everything, and nobody keeps anything for long that it does not confirm.
 */
@Injectable()
export class DirectoryRefreshService implements OnModuleInit, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly directories: DirectoryService,
    private readonly store: DirectoryRefreshStore,
    private readonly onboarding: OnboardingService,
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => void this.refresh(), LOOK_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** One round, for all whose turn it is; joins the one that is under way. Never rejects. */
  refresh(): Promise<void> {
    this.#running ??= this.#round()
      .catch((error: unknown) => this.logger.error('accounts could not be compared with the directory; tried again in half a minute', { error }))
      .finally(() => { this.#running = undefined; });
    return this.#running;
  }

  async #round(): Promise<void> {
    const { auth_mode: mode, ldap_refresh_minutes: minutes, token_expiration: tokenMinutes } = await this.configuration.current();
    if (mode !== 'ldap_auth') return;
    try {
      await this.#refreshAll(minutes, tokenMinutes);
    } catch (error) {
      if (!(error instanceof DirectoryFault)) throw error;
      this.logger.error('the directory could not be asked about accounts that are in use', { reason: error.message, kind: error.kind });
    }
    await this.#endUnconfirmed(tokenMinutes);
  }

  async #refreshAll(minutes: number, tokenMinutes: number): Promise<void> {
    const directory = await this.directories.current();
    for (let batch = await this.store.claim(minutes, tokenMinutes, BATCH); batch.length > 0 && !this.#stopped; batch = await this.store.claim(minutes, tokenMinutes, BATCH)) {
      const waiting = [...batch];
      const work = async (): Promise<void> => {
        for (let account = waiting.shift(); account !== undefined && !this.#stopped; account = waiting.shift()) await this.#refreshOne(directory, account);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    }
  }

  async #refreshOne(directory: Directory, { id, externalId, place }: RefreshedAccount): Promise<void> {
    const person = await directory.describe(externalId, place);
    if (person === undefined) {
      await this.onboarding.shutOut(id, 'ldap');
      this.logger.info('an account is not in the directory any more, or shut out there; its sessions and tokens have ended', { account: id });
      return;
    }
    try {
      await this.onboarding.onboard(person);
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error;
      this.logger.warn('an account could not be brought up to date with the directory', { account: id, reason: error.message });
    }
  }

  async #endUnconfirmed(tokenMinutes: number): Promise<void> {
    const silent = await this.store.unconfirmed(LONGEST_SILENCE, tokenMinutes);
    for (const id of silent) await this.onboarding.shutOut(id, 'ldap');
    if (silent.length > 0) this.logger.warn('the directory has confirmed nothing for an hour; sessions and tokens of these accounts have ended', { accounts: silent.length });
  }
}
