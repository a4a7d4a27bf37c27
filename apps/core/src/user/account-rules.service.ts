import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { ConfigurationService } from '../configuration/configuration.service.js';

/** The account that the installation was set up with: always kept here, however everybody else logs in. */
export const BUILT_IN = 1;

/** What may be done to accounts, as far as that depends on how people log in. */
@Injectable()
export class AccountRulesService {
  constructor(private readonly configuration: ConfigurationService) {}

  /** @throws Problem FORBIDDEN where accounts are kept elsewhere, except for the built-in one */
  async requireKeptHere(id?: number): Promise<void> {
    const { auth_mode: mode } = await this.configuration.current();
    if (mode === 'db_auth' || id === BUILT_IN) return;
    throw new Problem('FORBIDDEN', `accounts are kept in another system here (auth_mode ${mode}); make and change them there`);
  }

  /** @throws Problem PRECONDITION unless people log in through OpenID Connect */
  async requireOidc(): Promise<void> {
    const { auth_mode: mode } = await this.configuration.current();
    if (mode !== 'oidc_auth') throw new Problem('PRECONDITION', `CLI secrets are for people who log in through OpenID Connect; here auth_mode is ${mode}, so use the password`);
  }

  async robotPrefix(): Promise<string> {
    return (await this.configuration.current()).robot_name_prefix;
  }
}
