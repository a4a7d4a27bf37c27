import { Injectable } from '@nestjs/common';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { IdentityStore } from '../identity/identity.store.js';
import { CoreOptions } from '../platform/core-options.js';
import { Elsewhere } from './elsewhere.filter.js';

/** Sends people whose accounts an OpenID provider keeps away from the forms here. */
@Injectable()
export class SingleSignOnService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly identities: IdentityStore,
    private readonly options: CoreOptions,
  ) {}

  /**
   * Lets those pass who log in with a password here. Names that are nobody's go to the provider, too, so that its
   * people get there whatever they type; CLI secrets are for command lines and open no session.
   *
   * @throws Elsewhere
   */
  async requireLoginHere(username: string): Promise<void> {
    if (!(await this.#isOn()) || (await this.identities.findAccount(username))?.source === 'local') return;
    throw new Elsewhere(this.#address('/c/oidc/login'));
  }

  /** @throws Elsewhere for people who log out at the provider, too */
  async requireLogoutHere(userId: number | undefined): Promise<void> {
    if (userId === undefined || !(await this.#isOn()) || (await this.identities.findById(userId))?.source !== 'oidc') return;
    throw new Elsewhere(this.#address('/c/oidc/logout'));
  }

  async #isOn(): Promise<boolean> {
    return (await this.configuration.current()).auth_mode === 'oidc_auth';
  }

  #address(path: string): string {
    return `${this.options.externalUrl ?? ''}${path}`;
  }
}
