import { Injectable } from '@nestjs/common';
import { openSecret, sealSecret } from '@haven/access';
import { Problem, type Configuration } from '@haven/api';
import { Database } from '@haven/database';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../configuration/configuration.service.js';
import type { Account } from '../identity/identity.store.js';
import { LoginRefused } from '../identity/login-mode.js';
import { OnboardingService } from '../identity/onboarding.service.js';
import { CoreOptions } from '../platform/core-options.js';
import { generateCliSecret, sealCliSecret } from './cli-secret.js';
import { externalIdOf, OidcAccountStore, storeCliSecret, type OidcAccount } from './oidc-account.store.js';
import type { OidcPerson } from './oidc-claims.js';
import { decideOnGroups, mayLogIn } from './oidc-groups.js';

/** A person of the provider's, under a name here, and the sealed-at-rest means to ask about them later. */
export interface Arrival {
  readonly person: OidcPerson;
  readonly username: string;
  readonly refreshToken: string | undefined;
}

/** Accounts of people who log in through OpenID Connect: made, brought up to date, and asked about. */
@Injectable()
export class OidcAccountService {
  constructor(
    private readonly store: OidcAccountStore,
    private readonly onboarding: OnboardingService,
    private readonly configuration: ConfigurationService,
    private readonly database: Database,
    private readonly options: CoreOptions,
    private readonly logger: Logger,
  ) {}

  find(person: Pick<OidcPerson, 'issuer' | 'subject'>): Promise<OidcAccount | undefined> {
    return this.store.findIdentity(person.issuer, person.subject);
  }

  /** @throws Problem FORBIDDEN for people whose groups may not log in; nothing is stored before this */
  async requireAllowed(person: OidcPerson): Promise<void> {
    if (mayLogIn(person.groups, await this.configuration.current())) return;
    this.logger.warn('a login through OpenID Connect was refused: none of the groups may log in (oidc_login_groups)', { subject: person.subject });
    throw new Problem('FORBIDDEN', 'none of your groups may log in here; ask an administrator');
  }

  /**
   * The account of this person, made or brought up to date. Callers have checked that the person may log in.
   *
   * @throws Problem CONFLICT when the name cannot be had
   */
  async arrive({ person, username, refreshToken }: Arrival): Promise<Account> {
    const settings = await this.configuration.current();
    const account = await this.#onboard(person, username, settings);
    await this.store.keep(account.id, this.#sealed(account.id, refreshToken), person.groups);
    const kept = await this.store.cliSecret(account.id);
    if (kept?.sealed === undefined) await storeCliSecret(this.database, account.id, sealCliSecret(this.options.secretKey, account.id, generateCliSecret()), settings.oidc_cli_secret_days);
    return account;
  }

  /** The provider vouches for the account and says nothing new about it. */
  async confirm({ userId, groups }: OidcAccount, refreshToken: string | undefined): Promise<void> {
    await this.store.confirm(userId);
    await this.store.keep(userId, this.#sealed(userId, refreshToken), groups);
  }

  /** The refresh token of an account, opened. */
  refreshTokenOf({ userId, refreshToken }: OidcAccount): string | undefined {
    return refreshToken === undefined ? undefined : openSecret(this.options.secretKey, refreshToken, refreshContext(userId));
  }

  async #onboard(person: OidcPerson, username: string, settings: Configuration): Promise<Account> {
    const { administrator, groups } = decideOnGroups(person.groups, settings);
    try {
      return await this.onboarding.onboard({
        source: 'oidc', externalId: externalIdOf(person.issuer, person.subject), username, realname: person.realname, email: person.email,
        groups: groups.map((name) => ({ name })), admin: administrator,
      });
    } catch (error) {
      if (error instanceof LoginRefused) throw new Problem('CONFLICT', `the name ${JSON.stringify(username)} cannot be had here; choose another one`, { cause: error });
      throw error;
    }
  }

  #sealed(userId: number, token: string | undefined): string | undefined {
    return token === undefined ? undefined : sealSecret(this.options.secretKey, token, refreshContext(userId));
  }
}

function refreshContext(userId: number): string {
  return `oidc-refresh-token:${userId}`;
}
