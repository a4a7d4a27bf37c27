import type { DirectoryConnection, Search } from './directory-connection.js';
import { DirectoryFault } from './directory-fault.js';
import type { DirectoryServer } from './directory-url.js';
import type { AskedServer, SearchAnswer } from './referral-walk.js';

/** Connections to servers that references name, kept as long as the one that led to them. */
export class ReferredServers {
  readonly #connections = new Map<string, Promise<DirectoryConnection>>();
  readonly #open: (server: DirectoryServer) => Promise<DirectoryConnection>;

  /** @param open makes a connection that is logged in as the search account */
  constructor(open: (server: DirectoryServer) => Promise<DirectoryConnection>) {
    this.#open = open;
  }

  at(server: DirectoryServer): AskedServer {
    return { server, ask: (search) => this.#ask(server, search) };
  }

  async close(): Promise<void> {
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    const opened = await Promise.allSettled(connections);
    await Promise.all(opened.map(async (one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
  }

  /** Once more when a kept connection turns out to be dead. */
  async #ask(server: DirectoryServer, search: Search): Promise<SearchAnswer> {
    const kept = this.#connections.get(server.name);
    if (kept !== undefined) {
      try {
        const connection = await kept;
        if (connection.usable) return await connection.ask(search);
      } catch (error) {
        if (!(error instanceof DirectoryFault) || error.kind !== 'unreachable') throw error;
      }
      if (this.#connections.get(server.name) === kept) this.#connections.delete(server.name);
    }
    return (await this.#connection(server)).ask(search);
  }

  #connection(server: DirectoryServer): Promise<DirectoryConnection> {
    const known = this.#connections.get(server.name);
    if (known !== undefined) return known;
    const opened = this.#open(server);
    this.#connections.set(server.name, opened);
    opened.catch(() => this.#connections.delete(server.name));
    return opened;
  }
}
