import type { Logger } from '@haven/runtime';
import { LIMITS } from '../limits/limits.js';
import type { UpstreamGroup } from './upstream-group.js';
import type { Upstream } from './upstream.js';

/** How often a replica is asked while it works and while it does not, in milliseconds, and how long it may take to answer. */
const EVERY_MS = 1000;
const EVERY_MS_WHILE_DOWN = 250;
const TIMEOUT_MS = 3000;
/** So many failures in a row make a replica that was working count as down: one slow answer does not. */
const FAILURES = 2;

/** Asks every replica now and then whether it works, and marks it accordingly. */
export class HealthChecks {
  readonly #groups: readonly UpstreamGroup[];
  readonly #logger: Logger;
  readonly #failures = new Map<Upstream, number>();
  readonly #running = new Set<Upstream>();
  #timer: NodeJS.Timeout | undefined;

  constructor(groups: readonly UpstreamGroup[], logger: Logger) {
    this.#groups = groups;
    this.#logger = logger;
  }

  /** Resolves after the first round, so that a service does not call itself ready before it knows. */
  async start(): Promise<void> {
    await this.checkAll(1);
    let round = 0;
    this.#timer = setInterval(() => {
      round += 1;
      void this.checkAll(FAILURES, round % (EVERY_MS / EVERY_MS_WHILE_DOWN) !== 0);
    }, EVERY_MS_WHILE_DOWN);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * @param failures how many failures in a row make a replica count as down.
   * @param onlyDown leaves out those that work.
   */
  async checkAll(failures: number, onlyDown = false): Promise<void> {
    await Promise.all(this.#groups.flatMap((group) => group.members
      .filter((member) => !onlyDown || !member.healthy)
      .map((member) => this.#check(group, member, failures))));
  }

  async #check(group: UpstreamGroup, member: Upstream, failures: number): Promise<void> {
    if (this.#running.has(member)) return;
    this.#running.add(member);
    const fault = await askOnce(member, group.checkPath).finally(() => { this.#running.delete(member); });
    if (fault === undefined) {
      this.#failures.delete(member);
      if (!member.healthy) this.#logger.info('an upstream works again', { upstream: group.name, url: member.url });
      member.markUp();
      return;
    }
    const count = (this.#failures.get(member) ?? 0) + 1;
    this.#failures.set(member, count);
    if (count < failures) return;
    if (member.healthy || count === 1) this.#logger.warn('an upstream does not work', { upstream: group.name, url: member.url, reason: fault });
    member.markDown(fault);
  }
}

/** Resolves to what is wrong, or to undefined. Any answer below 500 counts: an unauthorized one too comes from a working replica. */
async function askOnce(member: Upstream, path: string): Promise<string | undefined> {
  try {
    const { statusCode, body } = await member.pool.request({
      method: 'GET', path, headers: { 'user-agent': 'haven-proxy' }, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS + LIMITS.connectMs),
    });
    await body.dump({ limit: 64 * 1024 });
    return statusCode < 500 ? undefined : `it answered ${statusCode}`;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  }
}
