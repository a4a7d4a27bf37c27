import { Injectable } from '@nestjs/common';
import { openSecret, sealSecret } from '@haven/access';
import { Logger } from '@haven/runtime';
import { CoreOptions } from '../platform/core-options.js';
import type { Session } from '../session/session.store.js';
import { OidcFlowStore } from './oidc-flow.store.js';
import { OidcLoginService } from './oidc-login.service.js';
import { endSessionUrl } from './provider-exchange.js';
import { ProviderService } from './provider.service.js';

/** The page that a browser sees when it is logged out. */
const SIGN_IN_PAGE = '/account/sign-in';

/** What the provider needs to know when somebody logs out. */
@Injectable()
export class SignOutService {
  constructor(
    private readonly store: OidcFlowStore,
    private readonly providers: ProviderService,
    private readonly logins: OidcLoginService,
    private readonly options: CoreOptions,
    private readonly logger: Logger,
  ) {}

  /** Keeps the ID token of a new session: it says at the provider whose login is to end. */
  async remember(sessionId: string, idToken: string | undefined): Promise<void> {
    if (idToken === undefined) return;
    await this.store.keepIdToken(sessionId, sealSecret(this.options.secretKey, idToken, CONTEXT));
  }

  /** Where the browser goes when this session ends: to the provider, so that it logs out there, too, or to our own page. */
  async leave(session: Session | undefined): Promise<string> {
    const { oidc_logout: everywhere } = await this.providers.requireMode();
    if (!everywhere || session === undefined) return SIGN_IN_PAGE;
    try {
      const sealed = await this.store.findIdToken(session.idHash);
      const idToken = sealed === undefined ? undefined : openSecret(this.options.secretKey, sealed, CONTEXT);
      return endSessionUrl(await this.providers.provider(), idToken, this.logins.externalAddress(SIGN_IN_PAGE))?.href ?? SIGN_IN_PAGE;
    } catch (error) {
      this.logger.warn('somebody logged out here, but could not be sent to log out at the OpenID provider', { name: session.username, error });
      return SIGN_IN_PAGE;
    }
  }
}

const CONTEXT = 'oidc-id-token';
