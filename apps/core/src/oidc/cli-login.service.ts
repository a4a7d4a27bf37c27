import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Credentials } from '../identity/basic-credentials.js';
import { IdentityStore, type Account } from '../identity/identity.store.js';
import { LoginMode, LoginModes, LoginRefused, LoginUnavailable } from '../identity/login-mode.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { CoreOptions } from '../platform/core-options.js';
import { openCliSecret, sameSecret } from './cli-secret.js';
import { OidcAccountStore, type OidcAccount } from './oidc-account.store.js';
import { mayLogIn } from './oidc-groups.js';
import { REFRESH_SECONDS, RefreshService } from './refresh.service.js';

/** Seconds that what the provider said stands while it cannot be asked. */
const GRACE_SECONDS = 3600;
/** Seconds that a login in the browser vouches for the CLI secret of people for whom the provider cannot be asked. */
const UNASKABLE_SECONDS = 7 * 24 * 3600;

/** Logins by name and CLI secret, for docker and its like, where people log in through OpenID Connect. */
@Injectable()
export class CliLoginService extends LoginMode implements OnModuleInit {
  readonly mode = 'oidc_auth';

  constructor(
    private readonly modes: LoginModes,
    private readonly store: OidcAccountStore,
    private readonly identities: IdentityStore,
    private readonly refreshes: RefreshService,
    private readonly configuration: ConfigurationService,
    private readonly options: CoreOptions,
  ) {
    super();
  }

  onModuleInit(): void {
    this.modes.register(this);
  }

  override async check({ password }: Credentials, known: Account | undefined): Promise<Account | undefined> {
    if (known?.source !== 'oidc') return undefined;
    const secret = await this.store.cliSecret(known.id);
    if (secret?.sealed === undefined || !sameSecret(password, openCliSecret(this.options.secretKey, known.id, secret.sealed))) return undefined;
    if (secret.expired) throw new LoginRefused('the CLI secret has expired; its owner must make a new one in the portal');
    await this.#requireVouchedFor(known.id);
    return this.identities.findById(known.id); // what the provider just said may have changed its rights
  }

  /** The secret is right; whether its owner may still log in is for the provider to say. */
  async #requireVouchedFor(userId: number): Promise<void> {
    const account = await this.store.find(userId);
    if (account?.confirmedAge === undefined) throw ended();
    if (account.refreshToken === undefined) return this.#requireRecent(account, UNASKABLE_SECONDS);
    if (account.confirmedAge > REFRESH_SECONDS) {
      const answer = await this.refreshes.refresh(account);
      if (answer === 'out') throw ended();
      if (answer === 'in') return;
    }
    return this.#requireRecent(account, GRACE_SECONDS);
  }

  /** Groups are held to the settings as they are now, not as they were when the provider named them. */
  async #requireRecent({ confirmedAge = Infinity, groups, refreshToken }: OidcAccount, seconds: number): Promise<void> {
    if (!mayLogIn(groups, await this.configuration.current())) throw ended();
    if (confirmedAge <= seconds) return;
    if (refreshToken !== undefined) throw new LoginUnavailable('the OpenID provider has not been reachable for too long to go by what it said last');
    throw new LoginRefused('the provider gives no refresh tokens, and the last login in the browser is too old to go by; let people log in there again, or add offline_access to oidc_scope');
  }
}

function ended(): LoginRefused {
  return new LoginRefused('the provider does not vouch for the account any more, or none of its groups may log in; if that is wrong, its owner must log in with the browser');
}
