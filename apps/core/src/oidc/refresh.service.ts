import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { OnboardingService } from '../identity/onboarding.service.js';
import { OidcAccountService } from './oidc-account.service.js';
import { OidcAccountStore, type OidcAccount } from './oidc-account.store.js';
import { personOf } from './oidc-claims.js';
import { claimNamesOf, mayLogIn, requireUsableFilter } from './oidc-groups.js';
import { LoginEnded, refreshLogin, type Exchanged } from './provider-exchange.js';
import { ProviderService } from './provider.service.js';

/** Seconds after which the provider is asked again whether somebody may still log in, and about their groups. */
export const REFRESH_SECONDS = 300;
const TICK_MS = 30_000;
const AT_ONCE = 20;
/** Longer than a refresh can take. */
const CLAIM_SECONDS = 45;

/** What became of asking: 'out' when the person may not log in any more, 'unknown' when nobody could say. */
export type Refreshed = 'in' | 'out' | 'unknown';

/** Keeps what is known of people who are logged in no older than some minutes, where the provider gives refresh tokens. */
@Injectable()
export class RefreshService implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: OidcAccountStore,
    private readonly accounts: OidcAccountService,
    private readonly onboarding: OnboardingService,
    private readonly providers: ProviderService,
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => { this.#running = this.#running.then(() => this.#tick()); }, TICK_MS);
    this.#timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Asks about those with a browser logged in who are due. Resolves to how many were asked about. */
  async refreshDue(): Promise<number> {
    if ((await this.configuration.current()).auth_mode !== 'oidc_auth') return 0;
    const due = await this.store.dueForRefresh(REFRESH_SECONDS, AT_ONCE);
    for (const account of due) await this.refresh(account);
    return due.length;
  }

  /** Asks the provider about one account and acts on the answer. Refresh tokens may be good for one use, so one process asks at a time. */
  async refresh(account: OidcAccount): Promise<Refreshed> {
    const token = this.accounts.refreshTokenOf(account);
    if (token === undefined || !(await this.store.claim(account, CLAIM_SECONDS))) return 'unknown';
    try {
      const settings = await this.configuration.current();
      requireUsableFilter(settings);
      const provider = await this.providers.provider();
      return await this.#apply(account, await refreshLogin(provider, token, account, claimNamesOf(settings)));
    } catch (error) {
      return this.#failed(account, error);
    }
  }

  async #apply(account: OidcAccount, exchanged: Exchanged): Promise<Refreshed> {
    const settings = await this.configuration.current();
    const said = personOf(exchanged.idClaims, exchanged.userinfo, claimNamesOf(settings, { nameIsKnown: true }));
    const groups = exchanged.described ? said.groups : account.groups;
    if (!mayLogIn(groups, settings)) return this.#out(account, 'in no group any more that may log in (oidc_login_groups)');
    if (exchanged.described) await this.accounts.arrive({ person: said, username: account.username, refreshToken: exchanged.refreshToken });
    else await this.accounts.confirm(account, exchanged.refreshToken);
    return 'in';
  }

  async #failed(account: OidcAccount, error: unknown): Promise<Refreshed> {
    if (error instanceof LoginEnded) return this.#out(account, error.message);
    this.logger.warn('nothing could be learned from the OpenID provider about somebody', { name: account.username, error });
    return 'unknown';
  }

  async #out({ userId, username }: OidcAccount, reason: string): Promise<Refreshed> {
    this.logger.info('somebody may not log in through OpenID Connect any more', { name: username, reason });
    await this.store.dropRefreshToken(userId);
    await this.onboarding.shutOut(userId, 'oidc');
    return 'out';
  }

  async #tick(): Promise<void> {
    try {
      await this.refreshDue();
    } catch (error) {
      this.logger.error('people who are logged in through OpenID Connect could not be looked after', { error });
    }
  }
}
