import { Module } from '@nestjs/common';
import { IdentityService } from './identity.service.js';
import { IdentityStore } from './identity.store.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordService } from './password.service.js';

/** Local accounts and their passwords: who is calling. */
@Module({
  providers: [IdentityStore, IdentityService, PasswordService, { provide: LoginThrottle, useFactory: () => new LoginThrottle() }],
  exports: [IdentityService, PasswordService, LoginThrottle],
})
export class IdentityModule {}
