import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Credentials } from '../basic-credentials.js';
import type { Account } from '../identity.store.js';
import { LoginMode, LoginModes, LoginRefused, LoginUnavailable } from '../login-mode.js';
import { OnboardingService } from '../onboarding.service.js';
import { VerifiedPasswords } from '../verified-passwords.js';
import { DirectoryFault } from './directory-fault.js';
import type { Directory } from './directory.js';
import { DirectoryService } from './directory.service.js';

/** How long the many token requests of one push cost one question to the directory. */
const TRUST_MS = 30_000;

/** Logins of people whom an LDAP directory knows (auth_mode ldap_auth). */
@Injectable()
export class LdapLoginService extends LoginMode implements OnModuleInit {
  readonly mode = 'ldap_auth';
  readonly #verified = new VerifiedPasswords(undefined, TRUST_MS);

  constructor(
    private readonly directories: DirectoryService,
    private readonly onboarding: OnboardingService,
    private readonly modes: LoginModes,
  ) {
    super();
  }

  onModuleInit(): void {
    this.modes.register(this);
  }

  async check(credentials: Credentials, known: Account | undefined): Promise<Account | undefined> {
    try {
      const directory = await this.directories.current();
      return known?.source === 'ldap' && known.confirmed ? await this.#checkKnown(directory, credentials, known) : await this.#logIn(directory, credentials);
    } catch (error) {
      if (!(error instanceof DirectoryFault)) throw error;
      if (error.kind === 'ambiguous' || error.kind === 'shut-out') throw new LoginRefused(error.message, { cause: error });
      throw new LoginUnavailable(error.message, { cause: error });
    }
  }

  /**
   * What was right a moment ago is right, unless the settings changed or the account's tokens were withdrawn since: whoever
   * is out of a group is asked for anew, on every replica. Whoever is out of the directory (not confirmed) does not come here:
   * only what the directory says now lets them in again.
   */
  async #checkKnown(directory: Directory, credentials: Credentials, known: Account): Promise<Account | undefined> {
    let fresh: Account | undefined;
    const state = `${directory.settings.fingerprint} ${known.lastWithdrawal}`;
    const right = await this.#verified.check(`id ${known.id}`, state, credentials.password, async () => {
      fresh = await this.#logIn(directory, credentials);
      return fresh?.id === known.id;
    });
    return fresh ?? (right ? known : undefined);
  }

  async #logIn(directory: Directory, { username, password }: Credentials): Promise<Account | undefined> {
    const person = await directory.authenticate(username, password);
    return person && this.onboarding.onboard(person);
  }
}
