import { Module } from '@nestjs/common';
import { ExternalLoginService } from './external-login.service.js';
import { FailedLoginStore } from './failed-login.store.js';
import { IdentityService } from './identity.service.js';
import { IdentityStore } from './identity.store.js';
import { LoginModes } from './login-mode.js';
import { LoginFailureStore } from './login-failure.store.js';
import { LoginThrottle } from './login-throttle.js';
import { OnboardingService } from './onboarding.service.js';
import { PasswordService } from './password.service.js';
import { RobotAccountStore } from './robot-account.store.js';
import { RobotLoginService } from './robot-login.service.js';
import { RobotUseService } from './robot-use.service.js';

/** Who is calling: accounts and their passwords, here or in the system that keeps them. */
@Module({
  providers: [
    IdentityStore, IdentityService, PasswordService, LoginFailureStore, FailedLoginStore, RobotAccountStore, RobotLoginService, RobotUseService,
    LoginModes, ExternalLoginService, OnboardingService,
    { provide: LoginThrottle, inject: [LoginFailureStore], useFactory: (store: LoginFailureStore) => new LoginThrottle(store) },
  ],
  exports: [IdentityService, IdentityStore, PasswordService, LoginThrottle, LoginModes, OnboardingService],
})
export class IdentityModule {}
