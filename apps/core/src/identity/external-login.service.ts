import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { addressGroup } from './address-group.js';
import type { Credentials } from './basic-credentials.js';
import type { Account } from './identity.store.js';
import { KeyedQueues } from './keyed-queues.js';
import { LoginModes, LoginRefused, LoginUnavailable, type LoginMode } from './login-mode.js';
import { QueueFull, WorkQueue } from './work-queue.js';

/** What another system is asked at the same time at most; one that hangs holds up only those who log in through it. */
const BOUNDS = { concurrency: 16, waiting: 256, waitingPerOrigin: 64 };
/** Logins of one name from one address: as many at once as may be wrong before the next one has to wait. */
const BOUNDS_OF_ONE = { concurrency: 4, waiting: 64 };
/** Refusals take a multiple of this: whether the system had to look at a password does not show. */
const STEP_MS = 300;

interface ExternalAttempt {
  readonly address: string;
  readonly notTooOften: () => Promise<unknown>;
}

/** Logins of people whose accounts another system keeps. */
@Injectable()
export class ExternalLoginService {
  readonly #queue = new WorkQueue(BOUNDS);
  readonly #turns = new KeyedQueues(BOUNDS_OF_ONE);

  constructor(
    private readonly modes: LoginModes,
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  /** Who checks the password of this account, or of a name that is nobody's; undefined when that happens here. */
  async modeFor(known: Account | undefined): Promise<LoginMode | undefined> {
    const { auth_mode: name } = await this.configuration.current();
    if (name === 'db_auth' || known?.source === 'local') return undefined;
    const mode = this.modes.find(name);
    if (mode === undefined) throw new Problem('UNAUTHORIZED', `this version cannot log people in with ${name}; only the built-in administrator can`);
    return mode;
  }

  /**
   * The account; 'wrong' when the credentials are; 'unknown' when that cannot be said, which is no guess.
   *
   * @throws Problem TOO_MANY_REQUEST when too many wait
   */
  async check(mode: LoginMode, known: Account | undefined, credentials: Credentials, { address, notTooOften }: ExternalAttempt): Promise<Account | 'wrong' | 'unknown'> {
    try {
      const account = await this.#queue.run(addressGroup(address), async () => {
        await notTooOften();
        return mode.check(credentials, known);
      });
      if (account?.source === 'local') throw new Error(`${mode.mode} answered with an account that is kept here`);
      return account ?? 'wrong';
    } catch (error) {
      return this.#explained(error, mode, credentials.username);
    }
  }

  /**
   * Runs a login when its turn among those of the same name from the same address comes. Guesses that come together get
   * no further than one by one, provided that `login` counts what goes wrong before it ends.
   *
   * @throws Problem TOO_MANY_REQUEST when too many wait
   */
  async inTurn<Result>(name: string, address: string, login: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#turns.run(JSON.stringify([name, addressGroup(address)]), login);
    } catch (error) {
      throw error instanceof QueueFull ? tooMany(error) : error;
    }
  }

  /** Waits until a refusal that began then may be sent. */
  async evenOut(begun: number): Promise<void> {
    await delay(STEP_MS - ((Date.now() - begun) % STEP_MS));
  }

  /** As `evenOut`, for who is kept here: where others log in elsewhere, that must not show in the time. */
  async evenOutHere(begun: number): Promise<void> {
    const { auth_mode: mode } = await this.configuration.current();
    if (mode !== 'db_auth') await this.evenOut(begun);
  }

  #explained(error: unknown, { mode }: LoginMode, name: string): 'wrong' | 'unknown' {
    if (error instanceof QueueFull) throw tooMany(error);
    if (error instanceof LoginRefused) {
      this.logger.warn('a login was refused although its password may be right', { mode, name, reason: error.message });
      return 'wrong';
    }
    if (!(error instanceof LoginUnavailable)) throw error;
    this.logger.error('nobody could be asked whether a password is right', { mode, name, reason: error.message, cause: error.cause });
    return 'unknown';
  }
}

function tooMany(cause: QueueFull): Problem {
  return new Problem('TOO_MANY_REQUEST', 'too many logins at once; try again in a few seconds', { headers: { 'Retry-After': '5' }, cause });
}
