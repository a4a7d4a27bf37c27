import type { Answer, Call, TestCore } from './test-core.js';
import { PASSWORD } from './test-core.js';

const TOKEN = 'x-harbor-csrf-token';

/** A browser, as far as sessions go: keeps cookies, and sends the token of the last answer with whatever changes something. */
export class TestBrowser {
  readonly cookies = new Map<string, string>();
  token: string | undefined;

  constructor(private readonly core: TestCore) {}

  async send(method: string, path: string, call: Omit<Call, 'as'> = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const token = method === 'GET' || method === 'HEAD' || this.token === undefined ? {} : { [TOKEN]: this.token };
    const answer = await this.core.call(method, path, { ...call, headers: { ...(cookie === '' ? {} : { cookie }), ...token, ...call.headers } });
    for (const text of answer.headers.getSetCookie()) this.#keep(text);
    this.token = answer.headers.get(TOKEN) ?? this.token;
    return answer;
  }

  /** Sends an HTML form. */
  form(path: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('POST', path, { body: new URLSearchParams(fields).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
  }

  /** Opens the sign-in page and logs in there. */
  async logIn(principal: string, password = PASSWORD, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    await this.send('GET', '/c/login', { headers });
    return this.form('/c/login', { principal, password }, headers);
  }

  #keep(text: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
    if (/; Max-Age=0/.test(text)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
