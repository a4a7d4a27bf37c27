import type { Search } from './directory-connection.js';
import type { DirectoryServer } from './directory-url.js';
import { KeptConnection } from './kept-connection.js';
import type { AskedServer, SearchAnswer } from './referral-walk.js';
import type { ServerFailures } from './server-failures.js';

/** A connection on which the search account is logged in. */
interface AskedConnection {
  readonly usable: boolean;
  ask(search: Search): Promise<SearchAnswer>;
  close(): Promise<void>;
}

/** Connections to servers that references name, one to each, kept as long as the one that led to them. */
export class ReferredServers {
  readonly #connections = new Map<string, KeptConnection<AskedConnection>>();
  readonly #open: (server: DirectoryServer) => Promise<AskedConnection>;
  readonly #failures: ServerFailures;
  #closed = false;

  /** @param open makes a connection that is logged in as the search account */
  constructor(open: (server: DirectoryServer) => Promise<AskedConnection>, failures: ServerFailures) {
    this.#open = open;
    this.#failures = failures;
  }

  /** @param alternatives this server and those that would do as well: while none can be reached, it is not tried again at once */
  at(server: DirectoryServer, alternatives: readonly DirectoryServer[] = [server]): AskedServer {
    return { server, ask: (search) => this.#ask(server, alternatives, search) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }

  async #ask(server: DirectoryServer, alternatives: readonly DirectoryServer[], search: Search): Promise<SearchAnswer> {
    return this.#connection(server).use(() => this.#opened(server, alternatives), async (connection) => {
      try {
        return await connection.ask(search);
      } catch (error) {
        this.#note(server, error);
        throw error;
      }
    });
  }

  #connection({ name }: DirectoryServer): KeptConnection<AskedConnection> {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const made = new KeptConnection<AskedConnection>();
    if (this.#closed) void made.close(); // so that it opens nothing
    this.#connections.set(name, made);
    return made;
  }

  async #opened(server: DirectoryServer, alternatives: readonly DirectoryServer[]): Promise<AskedConnection> {
    this.#failures.requireHope(alternatives);
    try {
      const connection = await this.#open(server);
      this.#failures.forget(server);
      return connection;
    } catch (error) {
      this.#note(server, error, { unopened: true });
      throw error;
    }
  }

  /** What is cut off because its owner is closed says nothing of the server. */
  #note(server: DirectoryServer, error: unknown, how?: { readonly unopened: boolean }): void {
    if (!this.#closed) this.#failures.note(server, error, how);
  }
}
