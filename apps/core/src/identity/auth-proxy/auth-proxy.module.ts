import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity.module.js';
import { AuthProxyLoginService } from './auth-proxy-login.service.js';
import { AuthProxyPeopleService } from './auth-proxy-people.service.js';
import { AuthProxyPingService } from './auth-proxy-ping.service.js';
import { AuthProxyController } from './auth-proxy.controller.js';
import { AuthProxyService } from './auth-proxy.service.js';
import { AuthProxyStore } from './auth-proxy.store.js';

/** People who log in through an authenticating proxy. */
@Module({
  imports: [IdentityModule],
  controllers: [AuthProxyController],
  providers: [AuthProxyService, AuthProxyStore, AuthProxyLoginService, AuthProxyPeopleService, AuthProxyPingService],
  exports: [AuthProxyPeopleService],
})
export class AuthProxyModule {}
