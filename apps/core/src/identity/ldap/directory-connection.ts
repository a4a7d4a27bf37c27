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
import { KeptConnection } from './kept-connection.js';
import type { DirectoryAccess, SearchScope } from './ldap-settings.js';
import { referralIn } from './referral-answer.js';
import { ReferralWalk, type SearchAnswer } from './referral-walk.js';
import { ReferredServers } from './referred-servers.js';
import { ServerFailures } from './server-failures.js';

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

/** An answer with nothing but the addresses of other servers (RFC 4511, section 4.1.10), and what is read of one. */
const REFERRAL_CODE = 10;
const LONGEST_REFERRAL = 64 * 1024;

/** Told of references to other servers that are not followed. */
export type Unfollowed = (reference: string) => void;

/** What all connections of one directory share about references. */
export interface ReferralNotes {
  readonly unfollowed: Unfollowed;
  readonly failures: ServerFailures;
}

/** Answers to a login that say something of the account, not of the server: it has no password, is locked by a policy, or is not there. */
const NOT_THIS_ACCOUNT = [InappropriateAuthError, UnwillingToPerformError, ConstraintViolationError, NoSuchObjectError, InvalidDNSyntaxError] as const;

/** One protected connection to one server of the directory. Closed for good by the first thing that goes wrong with it. */
export class DirectoryConnection {
  readonly server: DirectoryServer;
  readonly #access: DirectoryAccess;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #referred: ReferredServers;
  readonly #notes: ReferralNotes;
  readonly #prober = new KeptConnection<DirectoryConnection>();
  #lastProbe: Promise<unknown> = Promise.resolve();
  #mark = 0;
  #lost = false;

  private constructor(server: DirectoryServer, { access, client, socket, notes }: Parts) {
    this.server = server;
    this.#access = access;
    this.#client = client;
    this.#socket = socket;
    this.#notes = notes;
    this.#referred = new ReferredServers((other) => DirectoryConnection.openLoggedIn(other, access, notes), notes.failures);
    socket.on('data', () => {
      if (socket.bytesRead - this.#mark > MOST_BYTES) socket.destroy(new Error(`more than ${MOST_BYTES} bytes for one request`));
    });
  }

  /** @throws DirectoryFault */
  static async open(server: DirectoryServer, access: DirectoryAccess, notes = unnoted()): Promise<DirectoryConnection> {
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
    return new DirectoryConnection(server, { access, client, socket, notes });
  }

  /** A connection on which the search account is logged in. Throws as `open` does. */
  static async openLoggedIn(server: DirectoryServer, access: DirectoryAccess, notes?: ReferralNotes): Promise<DirectoryConnection> {
    const connection = await DirectoryConnection.open(server, access, notes);
    try {
      await connection.logInToSearch();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
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

  /** Logs in as the search account. Throws as `bind` does, also for a password that is wrong. */
  async logInToSearch(): Promise<void> {
    const { searchDn, searchPassword } = this.#access;
    const right = await this.bind(searchDn, searchPassword).catch((error: unknown) => {
      if (!(error instanceof DirectoryFault) || error.kind !== 'shut-out') throw error;
      throw new DirectoryFault('refused', `${this.server.name} shuts ldap_search_dn out: ${error.message}`, { cause: error });
    });
    if (!right) throw new DirectoryFault('refused', `${this.server.name} does not take ldap_search_dn with ldap_search_password`);
  }

  /**
   * The entries that match, also on servers to which this one refers and which the settings allow; none when the base is
   * not there. Throws as `bind` does.
   */
  async search(search: Search): Promise<DirectoryEntry[]> {
    return this.#walk(await this.ask(search), search);
  }

  /** As `search`, for a base that may be on a server that is not asked: nothing is found there then. */
  async searchHere(search: Search): Promise<DirectoryEntry[]> {
    try {
      return await this.#walk(await this.ask(search, this.#access.referralHosts.length > 0), search);
    } catch (error) {
      if (error instanceof DirectoryFault && error.kind === 'elsewhere') return [];
      throw error;
    }
  }

  /**
   * What this server itself answers, page by page. Throws as `bind` does.
   *
   * @param whither whether to find out on which server a base is that is not on this one
   */
  async ask(search: Search, whither = true): Promise<SearchAnswer> {
    const { base, scope, filter, attributes, binary = [], most } = search;
    const found: Entry[] = [];
    const references: string[] = [];
    this.#mark = this.#socket.bytesRead;
    try {
      const pages = this.#client.searchPaginated(base, {
        scope, filter: octetFilter(filter), attributes: [...attributes], explicitBufferAttributes: [...binary], derefAliases: 'never', paged: { pageSize: Math.min(PAGE, Math.max(2, most)) },
      });
      for await (const { searchEntries, searchReferences } of pages) {
        found.push(...searchEntries);
        references.push(...searchReferences);
        if (found.length >= most) break;
        this.#mark = this.#socket.bytesRead;
      }
      return { entries: found.slice(0, most).map((entry) => new DirectoryEntry(entry, this.server)), references, elsewhere: false };
    } catch (error) {
      if (error instanceof NoSuchObjectError) return { entries: [], references: [], elsewhere: false };
      if (isReferral(error)) return { entries: [], references: whither ? await this.#referralFor(search) : [], elsewhere: true };
      if (error instanceof SizeLimitExceededError) throw new DirectoryFault('refused', `${this.server.name} allows the search account too few entries for one search; raise its size limit`, { cause: error });
      throw this.#fault(error, 'searching');
    }
  }

  async close(): Promise<void> {
    this.#lost = true;
    await Promise.all([this.#referred.close(), this.#prober.close(), this.#client.unbind().catch(() => undefined)]); // it is going anyway
  }

  async #walk(answer: SearchAnswer, search: Search): Promise<DirectoryEntry[]> {
    if (answer.references.length === 0 && !answer.elsewhere) return [...answer.entries];
    const walk = new ReferralWalk({ ...this.#notes, access: this.#access, at: (server, alternatives) => this.#referred.at(server, alternatives) });
    return walk.search({ server: this.server, ask: () => Promise.resolve(answer) }, search);
  }

  /**
   * Where this server says that the base is. ldapts does not tell, so it is asked again on a connection of its own, one
   * question at a time, where no other answer can come between. When that goes wrong all who wait are told at once.
   */
  async #referralFor({ base, scope }: Search): Promise<string[]> {
    const turn = this.#lastProbe.then(() => this.#prober.use(() => DirectoryConnection.openLoggedIn(this.server, this.#access), (own) => own.#readReferral(base, scope)));
    this.#lastProbe = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      throw this.#fault(error, 'searching');
    }
  }

  async #readReferral(base: string, scope: SearchScope): Promise<string[]> {
    const chunks: Buffer[] = [];
    let length = 0;
    const collect = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= LONGEST_REFERRAL) chunks.push(chunk);
    };
    this.#mark = this.#socket.bytesRead;
    this.#socket.on('data', collect);
    try {
      await this.#client.search(base, { scope, filter: '(objectClass=*)', attributes: ['1.1'], sizeLimit: 1, derefAliases: 'never' });
      return []; // it has changed its mind: nothing to follow
    } catch (error) {
      if (isReferral(error)) return referralIn(Buffer.concat(chunks));
      throw this.#fault(error, 'searching');
    } finally {
      this.#socket.off('data', collect);
    }
  }

  #fault(error: unknown, doing: string): DirectoryFault {
    this.#lost = true;
    void this.close();
    if (error instanceof DirectoryFault) return error;
    const { message } = error as Error;
    if (error instanceof BusyError || error instanceof UnavailableError) return new DirectoryFault('unreachable', `${this.server.name} says that it cannot serve now, while ${doing}: ${message}`, { cause: error });
    if (isReferral(error)) return new DirectoryFault('elsewhere', `${this.server.name} says, while ${doing}, that the account is on another server; name that one in ldap_url`, { cause: error });
    if (error instanceof ResultCodeError) return new DirectoryFault('refused', `${this.server.name} refused ${doing}: ${message}`, { cause: error });
    if (/timed out/i.test(message)) return new DirectoryFault('slow', `${this.server.name} did not answer in time while ${doing} (ldap_timeout)`, { cause: error });
    if (/socket|ECONN|EPIPE|closed/i.test(message)) return new DirectoryFault('unreachable', `the connection to ${this.server.name} was lost while ${doing}: ${message}`, { cause: error });
    return new DirectoryFault('garbage', `${this.server.name} answered something that is no LDAP while ${doing}: ${message}`, { cause: error });
  }
}

interface Parts {
  readonly access: DirectoryAccess;
  readonly client: Client;
  readonly socket: Socket;
  readonly notes: ReferralNotes;
}

function unnoted(): ReferralNotes {
  return { unfollowed: () => undefined, failures: new ServerFailures() };
}

function isReferral(error: unknown): boolean {
  return error instanceof ResultCodeError && error.code === REFERRAL_CODE;
}

/** A domain says why it refuses: an account that is shut out is no wrong password. */
function requireWrongPassword({ message }: InvalidCredentialsError, dn: string): false {
  const refusal = bindRefusal(message);
  if (refusal !== undefined && !refusal.wrongPassword) throw new DirectoryFault('shut-out', `${dn}: ${refusal.reason}`);
  return false;
}
