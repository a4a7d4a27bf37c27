import type { TestBrowser } from './browser.js';
import { OidcBrowser, type OidcCore } from './oidc-core.js';
import { basic, type Answer } from './test-core.js';

const CURRENT = '/api/v2.0/users/current';
const TOKEN = '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push';

export interface Profile {
  readonly user_id: number;
  readonly username: string;
  readonly email: string;
  readonly oidc_user_meta: { readonly secret?: string; readonly subiss: string };
}

/** Somebody who has just logged in. */
export interface Person {
  readonly name: string;
  readonly id: number;
  readonly secret: string;
  readonly visitor: OidcBrowser;
}

/** People who log in at the provider of a test. */
export class People {
  #serial = 0;

  constructor(private readonly all: OidcCore) {}

  browser(): OidcBrowser {
    return new OidcBrowser(this.all.core, this.all.provider);
  }

  /** Has the provider speak of somebody who was never here; resolves to the name. */
  somebody(more: object = {}): string {
    this.#serial += 1;
    const name = `person-${this.#serial}`;
    this.all.provider.person = { sub: `subject-${this.#serial}`, preferred_username: name, name: `Person ${this.#serial}`, email: `${name}@example.test`, groups: [], ...more };
    return String(this.all.provider.person['preferred_username']);
  }

  /** Somebody who was never here logs in. */
  async arrived(more: object = {}): Promise<Person> {
    const name = this.somebody(more);
    const visitor = this.browser();
    const answer = await visitor.logInThere();
    if (answer.status !== 302) throw new Error(`the login was refused: ${JSON.stringify(answer.body)}`);
    const { user_id: id, oidc_user_meta: { secret = '' } } = await profileOf(visitor);
    return { name, id, secret, visitor };
  }

  /** What docker does with a name and a CLI secret. */
  docker(name: string, secret: string, core = this.all.core): Promise<Answer> {
    return core.call('GET', TOKEN, { headers: { authorization: basic(name, secret) } });
  }

  /** Time goes by since the provider vouched for an account. */
  async age(id: number, seconds: number): Promise<void> {
    await this.all.core.database.execute('UPDATE haven_user SET source_confirmed_at = source_confirmed_at - make_interval(secs => $2) WHERE id = $1', [id, seconds]);
  }

  /** Wrong secrets are forgotten. */
  async forgiven(): Promise<void> {
    await this.all.core.database.execute('DELETE FROM login_failure');
  }

  async groupsOf(id: number): Promise<string[]> {
    const rows = await this.all.core.database.query<{ name: string }>('SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id WHERE m.user_id = $1 ORDER BY 1', [id]);
    return rows.map(({ name }) => name);
  }
}

export async function profileOf(visitor: TestBrowser): Promise<Profile> {
  return (await visitor.send('GET', CURRENT)).body as Profile;
}
