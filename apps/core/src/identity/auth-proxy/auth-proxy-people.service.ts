import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { LoginRefused } from '../login-mode.js';
import { OnboardingService } from '../onboarding.service.js';
import { AuthProxyStore } from './auth-proxy.store.js';
import { nameIdOf } from './token-review.js';

/** People whom administrators make known before they log in. A proxy cannot be asked for names. */
@Injectable()
export class AuthProxyPeopleService {
  constructor(
    private readonly store: AuthProxyStore,
    private readonly onboarding: OnboardingService,
    private readonly configuration: ConfigurationService,
  ) {}

  /**
   * The id of an account that was made for this name, for whoever comes with it first; undefined unless people log in
   * through a proxy and administrators are trusted to write names right (http_authproxy_skip_search).
   *
   * @throws Problem BAD_REQUEST for a name that nobody can have
   */
  async prepare(username: string): Promise<number | undefined> {
    const { auth_mode: mode, http_authproxy_skip_search: trusted } = await this.configuration.current();
    if (mode !== 'http_auth' || !trusted) return undefined;
    const externalId = nameIdOf(username);
    const known = await this.store.find(externalId);
    if (known !== undefined) return known;
    try {
      const { id } = await this.onboarding.onboard({ source: 'http', externalId, username, realname: username, email: '', groups: [], admin: false });
      return id;
    } catch (cause) {
      if (!(cause instanceof LoginRefused)) throw cause;
      throw new Problem('BAD_REQUEST', cause.message, { cause });
    }
  }
}
