import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { IdentityStore } from '../identity/identity.store.js';
import { CoreOptions } from '../platform/core-options.js';
import { Elsewhere } from './elsewhere.js';

/** What other registries and pipelines ask with a person's name (the Harbor API's list). */
const MACHINE_ROUTES: ReadonlySet<string> = new Set([
  'GET /api/version', 'GET /api/v2.0/systeminfo', 'GET /api/v2.0/projects', 'POST /api/v2.0/projects', 'GET /api/v2.0/labels', 'GET /api/v2.0/projects/:/repositories',
  'GET /api/v2.0/projects/:/repositories/:/artifacts', 'DELETE /api/v2.0/projects/:/repositories/:/artifacts/:/tags/:',
]);

/** Sends people whose accounts an OpenID provider keeps away from the forms here. */
@Injectable()
export class SingleSignOnService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly identities: IdentityStore,
    private readonly options: CoreOptions,
  ) {}

  /**
   * Lets those pass who log in with a password here. Names that are nobody's go to the provider, too, so that its
   * people get there whatever they type; CLI secrets are for command lines and open no session.
   *
   * @throws Elsewhere
   */
  async requireLoginHere(username: string): Promise<void> {
    if (!(await this.#isOn()) || (await this.identities.findAccount(username))?.source === 'local') return;
    throw new Elsewhere(this.#address('/c/oidc/login'));
  }

  /** @throws Elsewhere for people who log out at the provider, too */
  async requireLogoutHere(userId: number | undefined): Promise<void> {
    if (userId === undefined || !(await this.#isOn()) || (await this.identities.findById(userId))?.source !== 'oidc') return;
    throw new Elsewhere(this.#address('/c/oidc/logout'));
  }

  /**
   * Holds people of the provider who give a name and a CLI secret to the routes that are for machines.
   *
   * @throws Problem UNAUTHORIZED
   */
  async requireMachineRoute(userId: number, method: string, route: string): Promise<void> {
    if (!(await this.#isOn()) || MACHINE_ROUTES.has(`${method} ${route.replace(/:\w+/g, ':')}`)) return;
    if ((await this.identities.findById(userId))?.source === 'local') return;
    throw new Problem('UNAUTHORIZED', 'a CLI secret opens the registry and the few addresses that other registries need; log in with the browser, or use a robot account');
  }

  async #isOn(): Promise<boolean> {
    return (await this.configuration.current()).auth_mode === 'oidc_auth';
  }

  #address(path: string): string {
    return `${this.options.externalUrl ?? ''}${path}`;
  }
}
