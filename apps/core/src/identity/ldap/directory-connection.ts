import {
  BusyError, Client, ConstraintViolationError, InappropriateAuthError, InvalidCredentialsError, InvalidDNSyntaxError, NoSuchObjectError, ResultCodeError, SizeLimitExceededError, UnavailableError, UnwillingToPerformError, type Entry,
} from 'ldapts';
import type { Socket } from 'node:net';
import { bindRefusal } from './active-directory/bind-refusal.js';
import { DirectoryEntry } from './directory-entry.js';
import { DirectoryFault } from './directory-fault.js';
import { openSocket } from './directory-socket.js';
import type { DirectoryServer } from './directory-url.js';
import { octetFilter } from './filter-octets.js';
import type { DirectoryAccess, SearchScope } from './ldap-settings.js';

export interface Search {
  readonly base: string;
  readonly scope: SearchScope;
  readonly filter: string;
  readonly attributes: readonly string[];
  /** Of these the values are bytes. */
  readonly binary?: readonly string[];
  /** Entries after which no more are asked for. */
  readonly most: number;
}

const PAGE = 500;
/** Bytes that one page may bring: a server that sends without end is cut off. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Answers to a login that say something of the account, not of the server: it has no password, is locked by a policy, or is not there. */
const NOT_THIS_ACCOUNT = [InappropriateAuthError, UnwillingToPerformError, ConstraintViolationError, NoSuchObjectError, InvalidDNSyntaxError] as const;

/** One protected connection to one server of the directory. Closed for good by the first thing that goes wrong with it. */
export class DirectoryConnection {
  readonly server: DirectoryServer;
  readonly #client: Client;
  readonly #socket: Socket;
  #mark = 0;
  #lost = false;

  private constructor(server: DirectoryServer, client: Client, socket: Socket) {
    this.server = server;
    this.#client = client;
    this.#socket = socket;
    socket.on('data', () => {
      if (socket.bytesRead - this.#mark > MOST_BYTES) socket.destroy(new Error(`more than ${MOST_BYTES} bytes for one request`));
    });
  }

  /** @throws DirectoryFault */
  static async open(server: DirectoryServer, access: DirectoryAccess): Promise<DirectoryConnection> {
    const socket = await openSocket(server, access);
    let used = false;
    const client = new Client({
      url: 'ldap://directory', // never connected to: the client gets the socket that was opened and protected above
      timeout: access.timeoutMs,
      createConnection: () => {
        // The client would connect again by itself when a connection is lost: without protection, as nobody.
        if (used) throw new DirectoryFault('unreachable', `${server.name} closed the connection`);
        used = true;
        return socket;
      },
    });
    return new DirectoryConnection(server, client, socket);
  }

  get usable(): boolean {
    return !this.#lost && this.#client.isConnected;
  }

  /**
   * Whether the directory takes this password for this DN.
   *
   * @throws DirectoryFault when it cannot say, or says that it is not the password; also for an empty password, with which
   *   directories let anybody in as nobody
   */
  async bind(dn: string, password: string): Promise<boolean> {
    if (dn === '' || password === '') throw new DirectoryFault('settings', 'a name and a password are needed to log in to the directory');
    try {
      await this.#client.bind(dn, password);
      return true;
    } catch (error) {
      if (error instanceof InvalidCredentialsError) return requireWrongPassword(error, dn);
      if (NOT_THIS_ACCOUNT.some((code) => error instanceof code)) return false;
      throw this.#fault(error, 'logging in');
    }
  }

  /** The entries that match, page by page; none when the base is not there. References to other servers are not followed. Throws as `bind` does. */
  async search({ base, scope, filter, attributes, binary = [], most }: Search): Promise<DirectoryEntry[]> {
    const found: Entry[] = [];
    this.#mark = this.#socket.bytesRead;
    try {
      const pages = this.#client.searchPaginated(base, {
        scope, filter: octetFilter(filter), attributes: [...attributes], explicitBufferAttributes: [...binary], derefAliases: 'never', paged: { pageSize: Math.min(PAGE, Math.max(2, most)) },
      });
      for await (const { searchEntries } of pages) {
        found.push(...searchEntries);
        if (found.length >= most) break;
        this.#mark = this.#socket.bytesRead;
      }
      return found.slice(0, most).map((entry) => new DirectoryEntry(entry));
    } catch (error) {
      if (error instanceof NoSuchObjectError) return [];
      if (error instanceof SizeLimitExceededError) throw new DirectoryFault('refused', `${this.server.name} allows the search account too few entries for one search; raise its size limit`, { cause: error });
      throw this.#fault(error, 'searching');
    }
  }

  async close(): Promise<void> {
    this.#lost = true;
    await this.#client.unbind().catch(() => undefined); // it is going anyway
  }

  #fault(error: unknown, doing: string): DirectoryFault {
    this.#lost = true;
    void this.close();
    if (error instanceof DirectoryFault) return error;
    const { message } = error as Error;
    if (error instanceof BusyError || error instanceof UnavailableError) return new DirectoryFault('unreachable', `${this.server.name} says that it cannot serve now, while ${doing}: ${message}`, { cause: error });
    if (error instanceof ResultCodeError) return new DirectoryFault('refused', `${this.server.name} refused ${doing}: ${message}`, { cause: error });
    if (/timed out/i.test(message)) return new DirectoryFault('slow', `${this.server.name} did not answer in time while ${doing} (ldap_timeout)`, { cause: error });
    if (/socket|ECONN|EPIPE|closed/i.test(message)) return new DirectoryFault('unreachable', `the connection to ${this.server.name} was lost while ${doing}: ${message}`, { cause: error });
    return new DirectoryFault('garbage', `${this.server.name} answered something that is no LDAP while ${doing}: ${message}`, { cause: error });
  }
}

/** A domain says why it refuses: an account that is shut out is no wrong password. */
function requireWrongPassword({ message }: InvalidCredentialsError, dn: string): false {
  const refusal = bindRefusal(message);
  if (refusal !== undefined && !refusal.wrongPassword) throw new DirectoryFault('shut-out', `${dn}: ${refusal.reason}`);
  return false;
}
