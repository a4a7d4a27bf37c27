import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { addressGroup } from './address-group.js';
import { hashPassword, unmatchableHash, verifyPassword } from './password-hash.js';
import { VerifiedPasswords } from './verified-passwords.js';
import { QueueFull, WorkQueue } from './work-queue.js';

/** Two at once leave half of Node's four pool threads to files and name look-ups; the longest wait is about ten seconds. */
const BOUNDS = { concurrency: 2, waiting: 128, waitingPerOrigin: 64 };

export interface Attempt {
  /** The name that was given, whether or not anybody has it. */
  readonly username: string;
  /** The client's address. */
  readonly address: string;
  /** Called again when a check's turn has come: rejects when too many others, started meanwhile, went wrong. */
  readonly notTooOften: () => Promise<unknown>;
}

/** Hashes and checks passwords, at a rate that the machine can bear. */
@Injectable()
export class PasswordService {
  readonly #queue = new WorkQueue(BOUNDS);
  readonly #verified = new VerifiedPasswords();
  readonly #nobody = unmatchableHash();

  /**
   * Whether the password is the account's. Unknown accounts take as long as known ones.
   *
   * @throws Problem TOO_MANY_REQUEST when too many checks are waiting
   */
  matches(account: { readonly id: number; readonly passwordHash: string | undefined } | undefined, password: string, attempt: Attempt): Promise<boolean> {
    const stored = account?.passwordHash ?? this.#nobody;
    const verify = async (): Promise<boolean> => {
      await attempt.notTooOften();
      return verifyPassword(password, stored);
    };
    return this.#verified.check(account === undefined ? `name ${attempt.username}` : `id ${account.id}`, stored, password, () => this.#queued(attempt.address, verify));
  }

  /** The hash to store for a new password. Throws as `matches` does. */
  hash(password: string, address: string): Promise<string> {
    return this.#queued(address, () => hashPassword(password));
  }

  async #queued<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#queue.run(addressGroup(address), work);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      throw new Problem('TOO_MANY_REQUEST', 'too many logins at once; try again in a few seconds', { headers: { 'Retry-After': '5' }, cause: error });
    }
  }
}
