import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { BrowserService } from './browser.service.js';
import { CallerService } from './caller.service.js';
import { RegistrationService } from './registration.service.js';
import { RegistrationStore } from './registration.store.js';
import { SessionService } from './session.service.js';
import { SessionStore } from './session.store.js';
import { SingleSignOnService } from './single-sign-on.service.js';

/** Logins of browsers, and who calls in one. */
@Module({
  imports: [IdentityModule],
  providers: [SessionStore, SessionService, BrowserService, CallerService, RegistrationStore, RegistrationService, SingleSignOnService],
  exports: [IdentityModule, SessionService, BrowserService, CallerService, RegistrationService, SingleSignOnService],
})
export class SessionModule {}
