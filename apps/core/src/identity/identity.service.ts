import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { currentOrigin } from '@haven/database';
import { basicCredentials, type Credentials } from './basic-credentials.js';
import { IdentityStore } from './identity.store.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordService } from './password.service.js';

const WRONG = 'the user name or the password is wrong; check them and log in again';

export interface IdentifiedCaller extends Caller {
  /** What the reading that identified the caller had seen (Account.lastWithdrawal): what is withdrawn later refuses a token made from it. */
  readonly lastWithdrawal: number;
}

/** Finds out who calls. Wrong credentials are always refused, never taken for none. */
@Injectable()
export class IdentityService {
  constructor(
    private readonly store: IdentityStore,
    private readonly passwords: PasswordService,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * The caller of an Authorization header; anonymous when there is none. Only Basic is taken: a registry token opens
   * the registry, not this API.
   *
   * @param address the client's, for the throttle
   * @throws Problem UNAUTHORIZED, or TOO_MANY_REQUEST with Retry-After
   */
  async identify(authorization: string | undefined, address: string): Promise<IdentifiedCaller> {
    if (authorization === undefined) return { subject: { kind: 'anonymous' }, lastWithdrawal: 0 };
    const credentials = basicCredentials(authorization);
    if (credentials === undefined) throw new Problem('UNAUTHORIZED', 'this address takes only Basic authentication, with a user name and a password');
    return this.logIn(credentials, address);
  }

  /** The caller that these credentials belong to. Throws as `identify` does. */
  async logIn({ username, password }: Credentials, address: string): Promise<IdentifiedCaller> {
    const origin = currentOrigin();
    if (origin !== undefined) origin.name = username;
    const notTooOften = (): void => this.throttle.requireNoWait(username, address);
    notTooOften();
    const account = await this.store.findAccount(username);
    const right = await this.passwords.matches(account, password, { username, address, notTooOften });
    if (account === undefined || !right) {
      this.throttle.failed(username, address);
      throw new Problem('UNAUTHORIZED', WRONG);
    }
    this.throttle.succeeded(username, address);
    return { subject: { kind: 'user', id: account.id, name: account.username, sysadmin: account.sysadmin }, lastWithdrawal: account.lastWithdrawal };
  }
}
