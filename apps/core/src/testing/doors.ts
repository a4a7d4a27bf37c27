import { TestBrowser } from './browser.js';
import { basic, type Answer, type TestCore } from './test-core.js';

/** A login with the password that somebody types, from an address. */
export interface Attempt {
  readonly name: string;
  readonly password: string;
  readonly address: string;
}

/** A login through one door. */
export type Door = (attempt: Attempt) => Promise<Answer>;

const CURRENT = '/api/v2.0/users/current';

export const DOORS = ['the login form', 'the API', 'the token service', 'its OAuth2 form'] as const;
export type DoorName = (typeof DOORS)[number];

/** Every way to log in with a name and a password. */
export function doorsOf(core: TestCore): Readonly<Record<DoorName, Door>> {
  return {
    'the login form': ({ name, password, address }) => new TestBrowser(core).logIn(name, password, from(address)),
    'the API': ({ name, password, address }) => core.call('GET', CURRENT, { headers: { authorization: basic(name, password), ...from(address) } }),
    'the token service': ({ name, password, address }) => core.call('GET', '/service/token?service=harbor-registry', { headers: { authorization: basic(name, password), ...from(address) } }),
    'its OAuth2 form': ({ name, password, address }) => core.call('POST', '/service/token', {
      body: new URLSearchParams({ grant_type: 'password', service: 'harbor-registry', username: name, password }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...from(address) },
    }),
  };
}

/** Tests come from loopback, which is trusted to say this. */
function from(address: string): Record<string, string> {
  return { 'x-forwarded-for': address };
}
