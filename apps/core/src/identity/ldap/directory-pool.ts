import { QueueFull, WorkQueue } from '../work-queue.js';
import { DirectoryConnection, type ReferralNotes, type Unfollowed } from './directory-connection.js';
import { DirectoryFault } from './directory-fault.js';
import type { DirectoryServer } from './directory-url.js';
import type { DirectoryAccess } from './ldap-settings.js';
import { AVOID_MS, GIVE_UP_MS, mayDoBetter, ServerFailures } from './server-failures.js';

const BOUNDS = { concurrency: 8, waiting: 256, waitingPerOrigin: 256 };
const IDLE_MS = 60_000;

interface Idle {
  readonly connection: DirectoryConnection;
  readonly since: number;
}

/** Connections that are logged in as the search account, to whichever server works. Bounded, and shared by all who search. */
export class DirectoryPool {
  readonly #access: DirectoryAccess;
  readonly #notes: ReferralNotes;
  readonly #queue = new WorkQueue(BOUNDS);
  readonly #idle: Idle[] = [];
  readonly #failedAt = new Map<DirectoryServer, number>();
  #allFailed: { readonly at: number; readonly fault: DirectoryFault } | undefined;
  #closed = false;

  constructor(access: DirectoryAccess, unfollowed: Unfollowed) {
    this.#access = access;
    this.#notes = { unfollowed, failures: new ServerFailures() };
  }

  /** Runs `work` with a connection of the search account, once more with another when a kept one turns out to be dead. Throws DirectoryFault. */
  async search<Result>(work: (connection: DirectoryConnection) => Promise<Result>): Promise<Result> {
    try {
      return await this.#queue.run('', () => this.#withConnection(work));
    } catch (error) {
      if (error instanceof QueueFull) throw new DirectoryFault('slow', 'too many wait for the directory already', { cause: error });
      throw error;
    }
  }

  /**
   * Whether the directory takes this password, asked on a connection that is used for nothing else. Throws DirectoryFault.
   *
   * @param server where the entry was read: a server that others only refer to is asked itself
   */
  async verify(dn: string, password: string, server?: DirectoryServer): Promise<boolean> {
    const referred = server !== undefined && !this.#access.servers.includes(server);
    const connection = referred ? await DirectoryConnection.open(server, this.#access) : await this.#open();
    try {
      return await connection.bind(dn, password);
    } catch (error) {
      this.#noteFailure(connection.server, error);
      throw error;
    } finally {
      await connection.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close()));
  }

  async #withConnection<Result>(work: (connection: DirectoryConnection) => Promise<Result>): Promise<Result> {
    const kept = this.#takeIdle();
    if (kept !== undefined) {
      try {
        return await this.#use(kept, work);
      } catch (error) {
        if (!(error instanceof DirectoryFault) || error.kind !== 'unreachable') throw error;
      }
    }
    return this.#use(await this.#loggedIn(), work);
  }

  async #use<Result>(connection: DirectoryConnection, work: (connection: DirectoryConnection) => Promise<Result>): Promise<Result> {
    try {
      return await work(connection);
    } catch (error) {
      this.#noteFailure(connection.server, error);
      throw error;
    } finally {
      if (connection.usable && !this.#closed) this.#idle.push({ connection, since: performance.now() });
      else await connection.close();
    }
  }

  #takeIdle(): DirectoryConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.connection.usable && performance.now() - idle.since < IDLE_MS) return idle.connection;
      void idle.connection.close();
    }
    return undefined;
  }

  async #loggedIn(): Promise<DirectoryConnection> {
    const connection = await this.#open();
    try {
      await connection.logInToSearch();
      return connection;
    } catch (error) {
      this.#noteFailure(connection.server, error);
      await connection.close();
      throw error;
    }
  }

  /** To the first server that works, those that failed lately last. */
  async #open(): Promise<DirectoryConnection> {
    const { servers } = this.#access;
    if (this.#allFailed !== undefined && performance.now() - this.#allFailed.at < GIVE_UP_MS) throw this.#allFailed.fault;
    const faults: string[] = [];
    let last: unknown;
    for (const server of [...servers].sort((a, b) => Number(this.#avoided(a)) - Number(this.#avoided(b)))) {
      try {
        const connection = await DirectoryConnection.open(server, this.#access, this.#notes);
        this.#failedAt.delete(server);
        this.#allFailed = undefined;
        return connection;
      } catch (error) {
        this.#noteFailure(server, error);
        faults.push((error as Error).message);
        last = error;
      }
    }
    const kind = last instanceof DirectoryFault ? last.kind : 'unreachable';
    const fault = new DirectoryFault(kind, faults.join('; '), { cause: last });
    this.#allFailed = { at: performance.now(), fault };
    throw fault;
  }

  #noteFailure(server: DirectoryServer, error: unknown): void {
    if (mayDoBetter(error) && this.#access.servers.includes(server)) this.#failedAt.set(server, performance.now());
  }

  #avoided(server: DirectoryServer): boolean {
    return performance.now() - (this.#failedAt.get(server) ?? -Infinity) < AVOID_MS;
  }
}
