import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { addressGroup } from '../identity/address-group.js';
import type { Account } from '../identity/identity.store.js';
import { QueueFull, WorkQueue } from '../identity/work-queue.js';
import { CoreOptions } from '../platform/core-options.js';
import { requireGoodUsername } from '../user/user-rules.js';
import { sameSecret } from './cli-secret.js';
import { ATTEMPT_SECONDS, newAttempt, openAttempt, sealAttempt, type LoginAttempt } from './login-attempt.js';
import { OidcAccountService } from './oidc-account.service.js';
import { OidcFlowStore } from './oidc-flow.store.js';
import { claimNamesOf } from './oidc-groups.js';
import { personOf } from './oidc-claims.js';
import { ONBOARDING_SECONDS, openPerson, sealPerson, type PendingPerson } from './pending-person.js';
import { ProviderError } from './provider-connection.js';
import { authorizationUrl, exchangeCode, LoginEnded } from './provider-exchange.js';
import { ProviderService } from './provider.service.js';
import { requiredReturnPath } from './return-path.js';

const CALLBACK = '/c/oidc/callback';
const AGAIN = 'begin the login again';
/** Logins that wait for the provider at the same time; one that hangs holds up only those who log in through it. */
const BOUNDS = { concurrency: 16, waiting: 256, waitingPerOrigin: 64 };

/** Where a browser goes, and the value of the cookie that it goes with. */
export interface Departure {
  readonly location: string;
  readonly cookie: string;
}

/** Somebody who has logged in. */
export interface Entry {
  readonly kind: 'entered';
  readonly account: Account;
  readonly idToken: string | undefined;
  readonly returnTo: string;
}

/** Somebody who has yet to choose a name. */
export interface NameWanted {
  readonly kind: 'name-wanted';
  readonly id: string;
  readonly suggestedName: string;
  readonly returnTo: string;
}

/** Logging in through OpenID Connect, from the first redirect to the account. */
@Injectable()
export class OidcLoginService {
  readonly #queue = new WorkQueue(BOUNDS);

  constructor(
    private readonly providers: ProviderService,
    private readonly accounts: OidcAccountService,
    private readonly store: OidcFlowStore,
    private readonly configuration: ConfigurationService,
    private readonly options: CoreOptions,
    private readonly logger: Logger,
  ) {}

  /** Begins a login: where the browser goes, and the sealed cookie that it must come back with. */
  async begin(redirectUrl: string): Promise<Departure> {
    await this.providers.requireMode();
    const attempt = newAttempt(requiredReturnPath(redirectUrl));
    const location = await this.#explained(async () => authorizationUrl(await this.providers.provider(), attempt, this.externalAddress(CALLBACK)));
    return { location: location.href, cookie: sealAttempt(this.options.secretKey, attempt) };
  }

  /**
   * Ends a login: what the browser came back with is checked against what it left with, once.
   *
   * @param query of the callback, with its question mark
   * @param address the client's
   * @throws Problem BAD_REQUEST for a login that is not this browser's, not new or not valid; FORBIDDEN, CONFLICT, TOO_MANY_REQUEST
   */
  async finish(query: string, cookie: string | undefined, address: string): Promise<Entry | NameWanted> {
    await this.providers.requireMode();
    const attempt = await this.#ownAttempt(new URLSearchParams(query), cookie);
    return this.#queued(address, () => this.#vouchedFor(query, attempt));
  }

  /** What the provider says about who came back. */
  async #vouchedFor(query: string, attempt: LoginAttempt): Promise<Entry | NameWanted> {
    return this.#explained(async () => {
      const settings = await this.configuration.current();
      const provider = await this.providers.provider();
      const exchanged = await exchangeCode(provider, new URL(`${this.externalAddress(CALLBACK)}${query}`), attempt, claimNamesOf(settings));
      const known = await this.accounts.find({ issuer: String(exchanged.idClaims['iss']), subject: String(exchanged.idClaims['sub']) });
      const person = personOf(exchanged.idClaims, exchanged.userinfo, claimNamesOf(settings, { nameIsKnown: known !== undefined }));
      await this.accounts.requireAllowed(person);
      const { refreshToken, idToken } = exchanged;
      const pending: PendingPerson = { ...person, groups: [...person.groups], returnTo: attempt.returnTo, ...(refreshToken === undefined ? {} : { refreshToken }), ...(idToken === undefined ? {} : { idToken }) };
      if (known !== undefined) return this.#enter(pending, known.username);
      return settings.oidc_auto_onboard ? this.#enter(pending, await this.#goodName(person.suggestedName)) : this.#askForName(pending);
    });
  }

  /**
   * Makes the account of somebody who has chosen a name.
   *
   * @throws Problem BAD_REQUEST for a name that nobody can have, or when there is no login to choose a name for; CONFLICT for one that is taken
   */
  async onboard(id: string | undefined, username: string): Promise<Entry> {
    await this.providers.requireMode();
    const sealed = id === undefined || id === '' ? undefined : await this.store.findPerson(id);
    if (id === undefined || sealed === undefined) throw new Problem('BAD_REQUEST', `there is no login in this browser that waits for a name, or it took too long; ${AGAIN}`);
    const pending = openPerson(this.options.secretKey, sealed);
    await this.accounts.requireAllowed(pending);
    const known = await this.accounts.find(pending);
    const entry = await this.#enter(pending, known?.username ?? (await this.#goodName(username)));
    await this.store.forgetPerson(id);
    return entry;
  }

  /** @throws Problem PRECONDITION when nobody has said how this server is reached: a provider sends browsers to registered addresses only */
  externalAddress(path: string): string {
    const { externalUrl } = this.options;
    if (externalUrl === undefined) throw new Problem('PRECONDITION', 'logging in through OpenID Connect needs HAVEN_EXTERNAL_URL, the address of this server as browsers know it; the administrator of the machine must set it');
    return `${externalUrl}${path}`;
  }

  async #queued<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#queue.run(addressGroup(address), work);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      throw new Problem('TOO_MANY_REQUEST', 'too many logins at once; try again in a few seconds', { headers: { 'Retry-After': '5' }, cause: error });
    }
  }

  async #ownAttempt(query: URLSearchParams, cookie: string | undefined): Promise<LoginAttempt> {
    const attempt = openAttempt(this.options.secretKey, cookie);
    if (attempt === undefined) throw new Problem('BAD_REQUEST', `this login did not begin in this browser, or it took longer than ${ATTEMPT_SECONDS / 60} minutes; ${AGAIN}`);
    const [state = '', ...more] = query.getAll('state');
    if (more.length > 0 || !sameSecret(state, attempt.state)) throw new Problem('BAD_REQUEST', `this is not the login that was begun last in this browser; ${AGAIN}`);
    if (!(await this.store.spend(attempt.state, ATTEMPT_SECONDS))) throw new Problem('BAD_REQUEST', `this login has come back from the provider already; ${AGAIN}`);
    const error = query.get('error');
    if (error === null) return attempt;
    this.logger.warn('the OpenID provider refused a login', { code: error.slice(0, 100), description: query.get('error_description')?.slice(0, 200) });
    throw new Problem('BAD_REQUEST', error === 'access_denied' ? `the login was broken off at the provider; ${AGAIN}` : 'the provider refused the login; an administrator finds its reason in the log');
  }

  async #goodName(name: string): Promise<string> {
    if (name === '') throw new Problem('BAD_REQUEST', 'the provider says no name for you; ask an administrator to set oidc_user_claim');
    requireGoodUsername(name, (await this.configuration.current()).robot_name_prefix);
    return name;
  }

  async #enter(pending: PendingPerson, username: string): Promise<Entry> {
    const account = await this.accounts.arrive({ person: pending, username, refreshToken: pending.refreshToken });
    return { kind: 'entered', account, idToken: pending.idToken, returnTo: pending.returnTo };
  }

  async #askForName(pending: PendingPerson): Promise<NameWanted> {
    const id = randomBytes(32).toString('base64url');
    await this.store.keepPerson(id, sealPerson(this.options.secretKey, pending), ONBOARDING_SECONDS);
    return { kind: 'name-wanted', id, suggestedName: pending.suggestedName, returnTo: pending.returnTo };
  }

  /** What is wrong with the provider, or with what it says, is for the administrator to read. */
  async #explained<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ProviderError) && !(error instanceof LoginEnded)) throw error;
      this.logger.error('a login through OpenID Connect failed', { reason: error.message });
      throw new Problem('BAD_REQUEST', `what the OpenID provider answered cannot be used; an administrator finds the reason in the log. Then ${AGAIN}`, { cause: error });
    }
  }
}
