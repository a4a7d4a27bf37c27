import { AccessEpochs, RegistryTokenVerifier, type PublicKeySet, type RegistryTokenClaims } from '@haven/access';
import { basic, type Answer, type TestCore } from './test-core.js';

export interface TestRobot {
  readonly id: number;
  readonly name: string;
  readonly secret: string;
}

export const PULL = { resource: 'repository', action: 'pull' };
export const PUSH = { resource: 'repository', action: 'push' };
export const ROBOTS = '/api/v2.0/robots';

/** Makes robots over the API and calls as them. */
export class Robots {
  readonly #core: TestCore;
  readonly #verifier: RegistryTokenVerifier;
  #calls = 0;

  constructor(core: TestCore) {
    this.#core = core;
    this.#verifier = new RegistryTokenVerifier(() => publicKeys(core));
  }

  /** Asks for a robot; one of the project alpha that may pull for 30 days unless changed. */
  post(change: object, as: string | TestRobot = 'alice'): Promise<Answer> {
    const json = { name: 'ci', level: 'project', duration: 30, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }], ...change };
    return typeof as === 'string' ? this.#core.call('POST', ROBOTS, { as, json }) : this.call(as, 'POST', ROBOTS, json);
  }

  async make(name: string, change: object = {}, as: string | TestRobot = 'alice'): Promise<TestRobot> {
    const { status, body } = await this.post({ name, ...change }, as);
    if (status !== 201) throw new Error(`the robot ${name} was not made: ${status} ${JSON.stringify(body)}`);
    return body as TestRobot;
  }

  /** Calls as somebody, each time from another address: no call waits because earlier ones had wrong secrets. */
  call({ name, secret }: Pick<TestRobot, 'name' | 'secret'>, method: string, path: string, json?: unknown): Promise<Answer> {
    this.#calls += 1;
    const headers = { authorization: basic(name, secret), 'x-forwarded-for': `2001:db8:${this.#calls.toString(16)}::1` };
    return this.#core.call(method, path, { headers, ...(json === undefined ? {} : { json }) });
  }

  /** What somebody gets who just logs in: 200 or 401. */
  async logIn(robot: Pick<TestRobot, 'name' | 'secret'>): Promise<number> {
    return (await this.call(robot, 'GET', '/api/v2.0/users/current/permissions')).status;
  }

  /** What a registry token for these scopes says. */
  async token(robot: TestRobot, scope = 'repository:alpha/app:pull'): Promise<RegistryTokenClaims> {
    const { body } = await this.call(robot, 'GET', `/service/token?service=harbor-registry&scope=${scope}`);
    return this.#verifier.verify((body as { token: string }).token);
  }

  /** Whether the registry would refuse the token now. */
  async isRevoked(claims: RegistryTokenClaims): Promise<boolean> {
    const epochs = new AccessEpochs();
    const rows = await this.#core.database.query<{ subject: string; not_before: Date }>('SELECT subject, not_before FROM access_epoch');
    for (const row of rows) epochs.raise(row.subject, row.not_before);
    return epochs.isRevoked(claims);
  }
}

/** As the registry reads them. */
async function publicKeys(core: TestCore): Promise<PublicKeySet> {
  const rows = await core.database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key WHERE retired_at IS NULL');
  return Object.fromEntries(rows.map((row) => [row.kid, row.public_jwk]));
}
