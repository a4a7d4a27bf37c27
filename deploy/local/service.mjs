import { Child } from './child.mjs';
import { freePort } from './ports.mjs';
import { Server } from './server.mjs';

/** One Haven process: a Node.js main file that reports `/readyz` on its private port. */
export class Service extends Server {
  #options;

  /**
   * @param {object} options
   * @param {string} options.name
   * @param {string} options.node the Node.js that runs it
   * @param {string} options.entry its main file
   * @param {string[]} options.nodeFlags
   * @param {{ listen?: number, private?: number }} [options.ports] those the caller has chosen; the rest are free ones
   * @param {(ports: { listen: number, private: number }) => Record<string, string>} options.environment
   * @param {number} options.readySeconds how long it may take to become ready
   * @param {number} options.stopSeconds how long it may take to stop
   * @param {(line: string) => void} options.onLine
   * @param {(pid: number) => void} options.onSpawn
   */
  constructor(options) {
    super(options);
    this.#options = options;
  }

  get privateUrl() {
    return this.ports && `http://127.0.0.1:${this.ports.private}`;
  }

  get url() {
    return this.ports && `http://127.0.0.1:${this.ports.listen}`;
  }

  async choosePorts() {
    const { listen, private: privatePort } = this.#options.ports ?? {};
    return { listen: listen ?? await freePort(), private: privatePort ?? await freePort() };
  }

  launch(ports) {
    const { name, node, entry, nodeFlags, environment, onLine, onSpawn } = this.#options;
    return new Child({ name, command: node, args: [...nodeFlags, entry], env: environment(ports), onLine, onSpawn });
  }

  async probe(ports) {
    try {
      const response = await fetch(`http://127.0.0.1:${ports.private}/readyz`, { signal: AbortSignal.timeout(3_000), headers: { connection: 'close' } });
      const text = await response.text();
      return response.status === 200 ? undefined : `/readyz answers ${response.status} ${text.slice(0, 500)}`;
    } catch (error) {
      return `/readyz: ${error.cause?.code ?? error.message}`;
    }
  }
}
