import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { BrowserService } from './browser.service.js';
import { RegistrationStore, type AccountName } from './registration.store.js';

/** People who make an account for themselves, where administrators let them. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly store: RegistrationStore,
    private readonly browsers: BrowserService,
    private readonly configuration: ConfigurationService,
  ) {}

  /** Only where accounts are kept here, and only when an administrator has switched it on. */
  async isOpen(): Promise<boolean> {
    const { auth_mode: mode, self_registration: allowed } = await this.configuration.current();
    return allowed && mode === 'db_auth';
  }

  /** @throws Problem FORBIDDEN unless this is a browser that was on the sign-in page and brings the token of it */
  requireVisitor(request: FastifyRequest, reply: FastifyReply): void {
    const secret = this.browsers.visitorSecret(request);
    if (secret === undefined) throw new Problem('FORBIDDEN', 'self-registration cannot be triggered via API; register on the sign-in page');
    this.browsers.offer(reply, secret);
    this.browsers.requireOwnPage(request, reply, secret);
  }

  isTaken(name: AccountName): Promise<boolean> {
    return this.store.isTaken(name);
  }
}
