import type { Configuration } from '@haven/api';
import type { Credentials } from './basic-credentials.js';
import type { Account } from './identity.store.js';

export type AuthMode = Configuration['auth_mode'];

/** The system that keeps the accounts could not say whether a password is right. The message is for administrators. */
export class LoginUnavailable extends Error {
  override readonly name = 'LoginUnavailable';
}

/** A person who is who they say may not have an account here. The message is for administrators. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
}

/** How names and passwords are checked where another system keeps the accounts (auth_mode other than db_auth). */
export abstract class LoginMode {
  abstract readonly mode: AuthMode;

  /**
   * The account that these belong to; undefined when they are wrong. Accounts kept here never come this way.
   *
   * @param known the account that has exactly this name here, if any
   * @throws LoginUnavailable, LoginRefused
   */
  abstract check(credentials: Credentials, known: Account | undefined): Promise<Account | undefined>;
}

/** The modes that this process can do; each registers itself while the process starts. */
export class LoginModes {
  readonly #modes = new Map<AuthMode, LoginMode>();

  register(mode: LoginMode): void {
    if (this.#modes.has(mode.mode)) throw new Error(`two parts want to log people in with ${mode.mode}`);
    this.#modes.set(mode.mode, mode);
  }

  find(mode: AuthMode): LoginMode | undefined {
    return this.#modes.get(mode);
  }
}
