import { keyOfDn } from '../../group/distinguished-name.js';
import type { Search } from './directory-connection.js';
import type { DirectoryEntry } from './directory-entry.js';
import { DirectoryFault } from './directory-fault.js';
import { allOf, writtenFilter } from './directory-filter.js';
import type { DirectoryServer } from './directory-url.js';
import type { DirectoryAccess } from './ldap-settings.js';
import { mayFollow, parseReferral, type Referral } from './referral-url.js';
import type { ServerFailures } from './server-failures.js';

/** What one server answers to a search. */
export interface SearchAnswer {
  readonly entries: readonly DirectoryEntry[];
  /** Addresses of other servers, where there is more. */
  readonly references: readonly string[];
  /** The base is not on this server at all: there is nothing but references. */
  readonly elsewhere: boolean;
}

/** A server as it can be asked. */
export interface AskedServer {
  readonly server: DirectoryServer;
  ask(search: Search): Promise<SearchAnswer>;
}

export interface ReferralGuide {
  readonly access: Pick<DirectoryAccess, 'referralHosts' | 'startTls' | 'verify'>;
  /** A server that a reference names, and that may be asked; `alternatives` are all that have what is searched there. */
  at(server: DirectoryServer, alternatives: readonly DirectoryServer[]): AskedServer;
  readonly failures: Pick<ServerFailures, 'inOrder'>;
  /** Told of each reference that is not followed. */
  unfollowed(reference: string): void;
}

/** References after references. */
const DEEPEST = 5;
const MOST = 20;

/**
 * One search in all servers that the directory refers to and that the settings allow (ldap_referral_hosts). Whoever is
 * asked twice on one way is a loop, which is an error. On two ways it is asked once, and both have what came of it: also
 * the fault, and also when the first way was given up, or people would be missing as if they had left.
 */
export class ReferralWalk {
  readonly #guide: ReferralGuide;
  readonly #outcomes = new Map<string, Promise<DirectoryEntry[]>>();
  #followed = 0;

  constructor(guide: ReferralGuide) {
    this.#guide = guide;
  }

  /** @throws DirectoryFault, of the kind "referral" for whatever is wrong with references, and "elsewhere" when the base is on no server that may be asked */
  async search(at: AskedServer, search: Search, way: readonly string[] = []): Promise<DirectoryEntry[]> {
    const here = `${at.server.name}/${placeIn(search)}`;
    if (way.includes(here)) throw new DirectoryFault('referral', `references of the directory lead in a circle: ${[...way, here].join(' → ')}; correct them in the directory, or take the host out of ldap_referral_hosts`);
    const question = `${here}?${search.filter}`;
    const known = this.#outcomes.get(question); // has ended: what has not is on the way
    if (known !== undefined) return known;
    const outcome = this.#found(at, search, [...way, here]);
    this.#outcomes.set(question, outcome);
    return outcome;
  }

  async #found(at: AskedServer, search: Search, way: readonly string[]): Promise<DirectoryEntry[]> {
    const answer = await at.ask(search);
    let found = different(answer.entries);
    for (const alternatives of this.#followable(at.server, search, answer)) {
      if (found.length >= search.most) break;
      found = different([...found, ...await this.#follow(alternatives, search, way)]);
    }
    return found.slice(0, search.most);
  }

  /** References to the same place on several servers are alternatives. */
  #followable({ name }: DirectoryServer, search: Search, { references, elsewhere }: SearchAnswer): Referral[][] {
    const places = new Map<string, Referral[]>();
    for (const text of references) {
      const referral = parseReferral(text);
      if (referral === undefined || !mayFollow(referral, this.#guide.access.referralHosts)) {
        this.#guide.unfollowed(text);
        continue;
      }
      const there = narrowed(search, referral);
      const place = `${placeIn(there)}?${there.filter}`;
      places.set(place, [...(places.get(place) ?? []), referral]);
    }
    if (elsewhere && places.size === 0) {
      throw new DirectoryFault('elsewhere', `${name} says that ${search.base} is on another server (${references.map(shown).join(' or ') || 'which it does not name'}); name that one in ldap_url, or allow its host in ldap_referral_hosts`);
    }
    return [...places.values()];
  }

  async #follow(alternatives: readonly Referral[], search: Search, way: readonly string[]): Promise<DirectoryEntry[]> {
    const servers = alternatives.map(({ server }) => server);
    let last: unknown;
    for (const referral of this.#guide.failures.inOrder(alternatives)) {
      try {
        this.#requireBounds(way);
        requireProtection(referral, this.#guide.access);
        return await this.search(this.#guide.at(referral.server, servers), narrowed(search, referral), way);
      } catch (error) {
        if (!(error instanceof DirectoryFault)) throw error;
        last = error.kind === 'referral' ? error : new DirectoryFault('referral', `following a reference of the directory to ${shown(referral.text)}: ${error.message}`, { cause: error });
      }
    }
    throw last;
  }

  #requireBounds(way: readonly string[]): void {
    this.#followed += 1;
    if (way.length > DEEPEST) throw new DirectoryFault('referral', `references of the directory are more than ${DEEPEST} deep: ${way.join(' → ')}`);
    if (this.#followed > MOST) throw new DirectoryFault('referral', `the directory has more than ${MOST} references for one search; narrow the base, or name the servers in ldap_url`);
  }
}

/** The search account's password goes along: the same rule as for the servers in ldap_url. */
function requireProtection({ server }: Referral, { startTls, verify }: ReferralGuide['access']): void {
  if (server.secure || startTls || !verify) return;
  throw new DirectoryFault('settings', `${server.name} would carry passwords in clear; set ldap_start_tls, or let the directory refer to ldaps://`);
}

function narrowed(search: Search, { base, scope, filter }: Referral): Search {
  return { ...search, base: base ?? search.base, scope: scope ?? search.scope, filter: filter === undefined ? search.filter : allOf(search.filter, writtenFilter(filter)) };
}

/** Without the filter, which may become narrower with every turn of a circle. */
function placeIn({ base, scope }: Search): string {
  return `${keyOfDn(base) ?? base}??${scope}`;
}

/** The same entry may be found on the way through two servers: the first one counts, or an old copy would decide which password is right. */
function different(entries: readonly DirectoryEntry[]): DirectoryEntry[] {
  const found = new Map<string, DirectoryEntry>();
  for (const entry of entries) {
    const key = keyOfDn(entry.dn) ?? entry.dn;
    if (!found.has(key)) found.set(key, entry);
  }
  return [...found.values()];
}

/** Text of others, fit for a line of a log or an answer. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 200);
}
