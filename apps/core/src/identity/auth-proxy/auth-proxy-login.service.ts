import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Credentials } from '../basic-credentials.js';
import { foldedName } from '../external-name.js';
import { IdentityStore, type Account } from '../identity.store.js';
import { LoginMode, LoginModes, LoginRefused, LoginUnavailable } from '../login-mode.js';
import { OnboardingService } from '../onboarding.service.js';
import { VerifiedPasswords } from '../verified-passwords.js';
import { AuthProxyFault } from './auth-proxy-fault.js';
import { AuthProxyService } from './auth-proxy.service.js';
import { AuthProxyStore } from './auth-proxy.store.js';
import type { AuthProxy } from './auth-proxy.js';
import { externalUserOf, nameIdOf, type Reviewed } from './token-review.js';

/** How long the many token requests of one push cost one question to the proxy. */
const TRUST_MS = 30_000;
/** Whoever writes this before the name sends a token of the proxy's instead of a password, as clients of Harbor do. */
const WITH_TOKEN = 'tokenreview$';

/** What somebody shows for their name. */
interface Claim {
  readonly name: string;
  readonly secret: string;
  readonly kind: 'password' | 'token';
}

/** Logins of people whom an authenticating proxy knows (auth_mode http_auth). */
@Injectable()
export class AuthProxyLoginService extends LoginMode implements OnModuleInit {
  readonly mode = 'http_auth';
  readonly #verified = new VerifiedPasswords(undefined, TRUST_MS);

  constructor(
    private readonly proxies: AuthProxyService,
    private readonly onboarding: OnboardingService,
    private readonly store: AuthProxyStore,
    private readonly accounts: IdentityStore,
    private readonly modes: LoginModes,
  ) {
    super();
  }

  onModuleInit(): void {
    this.modes.register(this);
  }

  async check(credentials: Credentials, known: Account | undefined): Promise<Account | undefined> {
    const claim = claimOf(credentials);
    const account = claim.kind === 'token' ? await this.accounts.findAccount(claim.name) : known;
    try {
      const proxy = await this.proxies.current();
      return account?.source === 'http' && account.confirmed ? await this.#checkKnown(proxy, claim, account) : await this.#logIn(proxy, claim);
    } catch (error) {
      if (!(error instanceof AuthProxyFault)) throw error;
      throw new LoginUnavailable(error.message, { cause: error });
    }
  }

  /** What was right a moment ago is right, unless the settings changed or the account's tokens were withdrawn since. */
  async #checkKnown(proxy: AuthProxy, claim: Claim, known: Account): Promise<Account | undefined> {
    let fresh: Account | undefined;
    const state = `${proxy.settings.fingerprint} ${known.lastWithdrawal} ${claim.kind}`;
    const right = await this.#verified.check(`id ${known.id}`, state, claim.secret, async () => {
      fresh = await this.#logIn(proxy, claim);
      return fresh?.id === known.id;
    });
    return fresh ?? (right ? known : undefined);
  }

  async #logIn(proxy: AuthProxy, { name, secret, kind }: Claim): Promise<Account | undefined> {
    const reviewed = kind === 'token' ? await proxy.review(secret) : await proxy.logIn(name, secret);
    if (reviewed === undefined) return undefined;
    requireSameName(reviewed, name);
    const person = externalUserOf(reviewed, proxy.settings);
    const nameId = nameIdOf(reviewed.username);
    if (person.externalId !== nameId) await this.store.adopt(nameId, person.externalId);
    return this.onboarding.onboard(person);
  }
}

function claimOf({ username, password }: Credentials): Claim {
  if (!username.startsWith(WITH_TOKEN)) return { name: username, secret: password, kind: 'password' };
  return { name: username.slice(WITH_TOKEN.length), secret: password, kind: 'token' };
}

/** A proxy that vouches for somebody else than the one who logs in has mixed up its answers, or was given somebody else's token. */
function requireSameName({ username }: Reviewed, name: string): void {
  if (foldedName(username) === foldedName(name)) return;
  throw new LoginRefused(`the token review says ${JSON.stringify(username.slice(0, 255))}, which is not the name that was given`);
}
