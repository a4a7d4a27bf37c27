import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A real OpenID provider on loopback, in a process of its own; gone after `stop()`. */
export class OpenIdProvider {
  #process;
  #lines;
  client = { client_id: 'haven', client_secret: 'the-secret-of-haven' };

  /** @param {string} externalUrl the platform's address as browsers know it */
  static async start(externalUrl) {
    const provider = new OpenIdProvider();
    await provider.#start(externalUrl);
    return provider;
  }

  async #start(externalUrl) {
    const port = await freePort();
    this.url = `http://localhost:${port}`;
    this.#process = spawn(process.execPath, [join(import.meta.dirname, 'provider-process.mjs')], { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: process.env.PATH } });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    const client = { ...this.client, redirect_uris: [`${externalUrl}/c/oidc/callback`], post_logout_redirect_uris: [`${externalUrl}/account/sign-in`] };
    await this.#tell({ start: { port, client } });
  }

  /** Makes somebody known, or changes what is said of them: `sub`, `name`, `preferred_username`, `email`, `groups`. */
  person(person) {
    return this.#tell({ person });
  }

  async stop() {
    const ended = new Promise((resolve) => { this.#process.once('exit', resolve); });
    this.#process.stdin.end();
    await ended;
  }

  /** Every line to the process is answered with one; others are its own. */
  async #tell(message) {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error('the OpenID provider ended');
      if (value.startsWith('{"ready"') || value.startsWith('{"known"')) return;
    }
  }
}

/** A port on loopback that nobody uses just now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}
