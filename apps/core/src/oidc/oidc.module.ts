import { Module } from '@nestjs/common';
import { SessionModule } from '../session/session.module.js';
import { CliLoginService } from './cli-login.service.js';
import { OidcAccountService } from './oidc-account.service.js';
import { OidcAccountStore } from './oidc-account.store.js';
import { OidcFlowStore } from './oidc-flow.store.js';
import { OidcLoginService } from './oidc-login.service.js';
import { OidcPingController } from './oidc-ping.controller.js';
import { OidcController } from './oidc.controller.js';
import { ProviderService } from './provider.service.js';
import { RefreshService } from './refresh.service.js';
import { SignOutService } from './sign-out.service.js';

/** People who log in at an OpenID provider. */
@Module({
  imports: [SessionModule],
  controllers: [OidcController, OidcPingController],
  providers: [ProviderService, OidcAccountStore, OidcFlowStore, OidcAccountService, OidcLoginService, RefreshService, CliLoginService, SignOutService],
  exports: [ProviderService, OidcAccountStore],
})
export class OidcModule {}
