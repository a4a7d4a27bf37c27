import { TestBrowser } from './browser.js';
import { CLIENT_ID, CLIENT_SECRET, OpenIdStub } from './openid-stub.js';
import { startTestCore, type Answer, type TestCore } from './test-core.js';

export const EXTERNAL_URL = 'http://registry.test';

/** A core whose people log in at a provider that tests script. */
export interface OidcCore {
  readonly core: TestCore;
  readonly provider: OpenIdStub;
  stop(): Promise<void>;
}

export async function startOidcCore(settings: object = {}): Promise<OidcCore> {
  const provider = await new OpenIdStub().start();
  const core = await startTestCore({ environment: { HAVEN_EXTERNAL_URL: EXTERNAL_URL } });
  const stop = async (): Promise<void> => {
    await core.stop();
    await provider.stop();
  };
  await changeSettings(core, {
    auth_mode: 'oidc_auth', oidc_endpoint: provider.url, oidc_client_id: CLIENT_ID, oidc_client_secret: CLIENT_SECRET, oidc_name: 'stub', oidc_auto_onboard: true,
    oidc_user_claim: 'preferred_username', oidc_groups_claim: 'groups', ...settings,
  });
  return { core, provider, stop };
}

export async function changeSettings(core: TestCore, settings: object): Promise<void> {
  const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: settings });
  if (status !== 200) throw new Error(`the settings were refused: ${JSON.stringify(body)}`);
}

/** A login through the provider, step by step. */
export class OidcBrowser extends TestBrowser {
  constructor(core: TestCore, readonly provider: OpenIdStub) {
    super(core);
  }

  /** Goes to the provider: answers where that is. */
  async depart(query = ''): Promise<string> {
    const answer = await this.go(`/c/oidc/login${query}`);
    if (answer.status !== 302) throw new Error(`the login did not begin: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.headers.get('location') ?? '';
  }

  /** Comes back from there: the answer of the callback. */
  async return(location: string): Promise<Answer> {
    return this.go(this.provider.logIn(location));
  }

  /** The whole way. */
  async logInThere(query = ''): Promise<Answer> {
    return this.return(await this.depart(query));
  }

  go(path: string): Promise<Answer> {
    return this.send('GET', path, { redirect: 'manual' });
  }
}
