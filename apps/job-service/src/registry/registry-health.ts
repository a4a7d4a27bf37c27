import { openSecret, SealedSecretError } from '@haven/access';
import type { Queryable } from '@haven/database';
import { isHealthyRegistry, registrySecretContext, type OutboundClient } from '@haven/outbound';
import type { Logger } from '@haven/runtime';
import { Routine } from '../execution/routine.js';
import { noteHealth, takeDueRegistry, type RegistryToCheck } from './registry.store.js';

export interface RegistryHealthParts {
  readonly database: Queryable;
  readonly outbound: OutboundClient;
  /** What secrets at rest are sealed under. Without it, registries that have a secret are not looked at. */
  readonly secretKey: Buffer | undefined;
  readonly logger: Logger;
  /** How long a registry counts as looked at, in seconds. */
  readonly everySeconds?: number;
}

const EVERY_SECONDS = 5 * 60;
const LOOK_MS = 15_000;
/** How many registries are asked at the same time; each takes ten seconds at most. */
const AT_ONCE = 8;

/** Keeps the status of the other registries that are known here fresh: each is asked every five minutes, by one process. */
export class RegistryHealth {
  readonly #parts: RegistryHealthParts;
  readonly #routine: Routine;
  readonly #stop = new AbortController();

  constructor(parts: RegistryHealthParts) {
    this.#parts = parts;
    this.#routine = new Routine({ name: 'asking other registries whether they answer', everyMs: LOOK_MS, work: () => this.look(), logger: parts.logger });
  }

  start(): void {
    this.#routine.start();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#routine.stop();
  }

  /** Asks every registry whose turn it is. Resolves to how many. */
  async look(): Promise<number> {
    const first = await this.#take();
    if (first === undefined) return 0;
    const counts = await Promise.all(Array.from({ length: AT_ONCE }, (_, place) => this.#checkInTurn(place === 0 ? first : undefined)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #take(): Promise<RegistryToCheck | undefined> {
    const { database, secretKey, everySeconds = EVERY_SECONDS } = this.#parts;
    return this.#stop.signal.aborted ? undefined : takeDueRegistry(database, everySeconds, secretKey !== undefined);
  }

  async #checkInTurn(first: RegistryToCheck | undefined): Promise<number> {
    let count = 0;
    for (let registry = first ?? (await this.#take()); registry !== undefined; registry = await this.#take()) {
      await this.#check(registry);
      count += 1;
    }
    return count;
  }

  async #check(registry: RegistryToCheck): Promise<void> {
    const { database, outbound, logger } = this.#parts;
    const accessSecret = this.#secretOf(registry);
    const healthy = accessSecret !== undefined && (await isHealthyRegistry(outbound, { ...registry, accessSecret }, this.#stop.signal));
    if (this.#stop.signal.aborted) return; // Nobody knows how it is.
    if (!(await noteHealth(database, registry, healthy)) || healthy === registry.healthy) return;
    logger[healthy ? 'info' : 'warn'](healthy ? 'a registry answers again' : 'a registry does not answer, or refuses the credentials', { registry: registry.id, name: registry.name });
  }

  /** Undefined when it cannot be opened. */
  #secretOf({ id, sealedSecret }: RegistryToCheck): string | undefined {
    const { secretKey, logger } = this.#parts;
    if (sealedSecret === undefined) return '';
    if (secretKey === undefined) return undefined;
    try {
      return openSecret(secretKey, sealedSecret, registrySecretContext(id));
    } catch (error) {
      if (!(error instanceof SealedSecretError)) throw error;
      logger.warn('the secret of a registry cannot be opened; set it again', { registry: id });
      return undefined;
    }
  }
}
