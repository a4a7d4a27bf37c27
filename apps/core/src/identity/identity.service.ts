import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { currentOrigin } from '@haven/database';
import { basicCredentials, type Credentials } from './basic-credentials.js';
import { ExternalLoginService } from './external-login.service.js';
import { FailedLoginStore } from './failed-login.store.js';
import { IdentityStore, type Account } from './identity.store.js';
import { foldedName } from './external-name.js';
import { isWorthALine, type FailureCounts } from './login-delay.js';
import type { LoginMode } from './login-mode.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordService } from './password.service.js';
import type { RobotAccount } from './robot-account.store.js';
import { RobotLoginService } from './robot-login.service.js';
import { chosenSecretHash, isGeneratedSecret } from './robot-secret.js';

const WRONG = 'the user name or the password is wrong; check them and log in again';

export interface IdentifiedCaller extends Caller {
  /** What the reading that identified the caller had seen (Account.lastWithdrawal): what is withdrawn later refuses a token made from it. */
  readonly lastWithdrawal: number;
  /** Seconds since 1970 until when the caller exists at all, for robots that expire. */
  readonly validUntil?: number;
}

interface HasPassword {
  readonly id: number;
  readonly passwordHash: string | undefined;
}

/** Finds out who calls. Wrong credentials are always refused, never taken for none. */
@Injectable()
export class IdentityService {
  constructor(
    private readonly store: IdentityStore,
    private readonly passwords: PasswordService,
    private readonly throttle: LoginThrottle,
    private readonly failedLogins: FailedLoginStore,
    private readonly robots: RobotLoginService,
    private readonly external: ExternalLoginService,
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
  async logIn(credentials: Credentials, address: string): Promise<IdentifiedCaller> {
    const robot = await this.robots.find(credentials.username);
    if (robot !== undefined) return this.#logInRobot(robot, credentials, address);
    const account = await this.authenticate(credentials, address);
    return { subject: { kind: 'user', id: account.id, name: account.username, sysadmin: account.sysadmin }, lastWithdrawal: account.lastWithdrawal };
  }

  /** The account that these credentials belong to. Throws as `identify` does. */
  async authenticate(credentials: Credentials, address: string): Promise<Account> {
    const known = await this.store.findAccount(credentials.username);
    const mode = await this.external.modeFor(known);
    const account = mode === undefined ? await this.#checked(known, credentials, address) : await this.#checkedElsewhere(mode, known, credentials, address);
    if (account.loginIsNews) await this.store.noteLogin(account.id);
    return account;
  }

  /**
   * A generated secret is checked at once, also while wrong ones are slowed down: it cannot be found by guessing, and a
   * machine with an old secret must not hold up those beside it. Wrong secrets take as long as wrong passwords.
   */
  async #logInRobot(robot: RobotAccount, credentials: Credentials, address: string): Promise<IdentifiedCaller> {
    note(credentials);
    if (!isGeneratedSecret(credentials.password, robot.secretHash)) {
      const passwordHash = chosenSecretHash(robot.secretHash);
      await this.#checked(passwordHash === undefined ? undefined : { id: robot.id, passwordHash }, credentials, address);
    }
    return this.robots.admit(robot, credentials.username);
  }

  /** The account, when it has this password. Nobody's takes as long to be wrong as anybody's. */
  async #checked<Checked extends HasPassword>(account: Checked | undefined, credentials: Credentials, address: string): Promise<Checked> {
    note(credentials);
    const { username, password } = credentials;
    const begun = Date.now();
    const before = await this.throttle.requireNoWait(username, address);
    const notTooOften = async (): Promise<unknown> => this.throttle.requireNoWait(username, address);
    const right = await this.passwords.matches(account, password, { username, address, notTooOften });
    if (account === undefined || !right) {
      const counts = await this.throttle.failed(username, address);
      await this.external.evenOutHere(begun);
      return this.#refuse(username, counts);
    }
    await this.throttle.succeeded(username, address, before);
    return account;
  }

  /** As `#checked`, by the system that keeps the account. What that system makes one name is counted as one here. */
  async #checkedElsewhere(mode: LoginMode, known: Account | undefined, credentials: Credentials, address: string): Promise<Account> {
    note(credentials);
    const name = foldedName(credentials.username);
    const begun = Date.now();
    const { outcome, counts } = await this.external.inTurn(name, address, async () => {
      const before = await this.throttle.requireNoWait(name, address);
      const answer = await this.external.check(mode, known, credentials, { address, notTooOften: async () => this.throttle.requireNoWait(name, address) });
      if (typeof answer === 'object') await this.throttle.succeeded(name, address, before);
      return { outcome: answer, counts: answer === 'wrong' ? await this.throttle.failed(name, address) : undefined };
    });
    if (typeof outcome === 'object') {
      note(outcome);
      return outcome;
    }
    await this.external.evenOut(begun);
    if (counts === undefined) throw new Problem('UNAUTHORIZED', WRONG);
    return this.#refuse(name, counts);
  }

  async #refuse(username: string, counts: FailureCounts): Promise<never> {
    if (isWorthALine(counts)) await this.failedLogins.record(username, counts);
    throw new Problem('UNAUTHORIZED', WRONG);
  }
}

/** Puts a name into what happens from now on: the one that was given, whether or not it is anybody's, then the account's. */
function note({ username }: Pick<Credentials, 'username'>): void {
  const origin = currentOrigin();
  if (origin !== undefined) origin.name = username;
}
