import { DirectoryFault, type DirectoryFaultKind } from './directory-fault.js';
import type { DirectoryServer } from './directory-url.js';

/** A server that failed is asked last, for so long; while none works, nobody waits for one again. */
export const AVOID_MS = 30_000;
export const GIVE_UP_MS = 3_000;

/** Faults after which another server may do better. */
const ELSEWHERE: ReadonlySet<DirectoryFaultKind> = new Set(['unreachable', 'certificate', 'slow', 'garbage']);

export function mayDoBetter(error: unknown): error is DirectoryFault {
  return error instanceof DirectoryFault && ELSEWHERE.has(error.kind);
}

interface Failure {
  readonly at: number;
  readonly fault: DirectoryFault;
  /** There was not even a connection. */
  readonly unopened: boolean;
}

/** Which of the servers that references name failed lately, known to all connections of one directory. Bounded by ldap_referral_hosts. */
export class ServerFailures {
  readonly #failures = new Map<string, Failure>();
  readonly #now: () => number;

  /** @param now in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes note of faults that are the server's own. */
  note({ name }: DirectoryServer, error: unknown, { unopened = false } = {}): void {
    if (mayDoBetter(error)) this.#failures.set(name, { at: this.#now(), fault: error, unopened });
  }

  forget({ name }: DirectoryServer): void {
    this.#failures.delete(name);
  }

  /** Alternatives in the order in which to try them. */
  inOrder<Alternative extends { readonly server: DirectoryServer }>(alternatives: readonly Alternative[]): Alternative[] {
    return [...alternatives].sort((a, b) => Number(this.#lately(a.server) !== undefined) - Number(this.#lately(b.server) !== undefined));
  }

  /** @throws DirectoryFault, the last one there was, when none of these could be connected to a moment ago */
  requireHope(servers: readonly DirectoryServer[]): void {
    const failures = servers.flatMap((server) => this.#lately(server) ?? []).filter(({ unopened }) => unopened);
    const [last] = failures.sort((a, b) => b.at - a.at);
    if (last !== undefined && failures.length === servers.length && this.#now() - last.at < GIVE_UP_MS) throw last.fault;
  }

  #lately({ name }: DirectoryServer): Failure | undefined {
    const failure = this.#failures.get(name);
    return failure !== undefined && this.#now() - failure.at < AVOID_MS ? failure : undefined;
  }
}
