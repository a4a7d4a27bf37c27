import { Module } from '@nestjs/common';
import { FailedLoginStore } from './failed-login.store.js';
import { IdentityService } from './identity.service.js';
import { IdentityStore } from './identity.store.js';
import { LoginFailureStore } from './login-failure.store.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordService } from './password.service.js';
import { RobotAccountStore } from './robot-account.store.js';
import { RobotLoginService } from './robot-login.service.js';
import { RobotUseService } from './robot-use.service.js';

/** Local accounts and their passwords: who is calling. */
@Module({
  providers: [
    IdentityStore, IdentityService, PasswordService, LoginFailureStore, FailedLoginStore, RobotAccountStore, RobotLoginService, RobotUseService,
    { provide: LoginThrottle, inject: [LoginFailureStore], useFactory: (store: LoginFailureStore) => new LoginThrottle(store) },
  ],
  exports: [IdentityService, PasswordService, LoginThrottle],
})
export class IdentityModule {}
