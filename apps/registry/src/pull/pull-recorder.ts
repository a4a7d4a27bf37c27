import { auditEventType, isAudited, type Configuration } from '@haven/api';
import type { Catalog, ManifestReference, Pull, StoredManifest } from '@haven/catalog';
import type { NewEvent } from '@haven/database';
import type { EventPayload } from '@haven/messages';
import type { Logger } from '@haven/runtime';
import type { LiveConfiguration } from '../configuration/live-configuration.js';
import type { Exchange } from '../server/exchange.js';
import { projectFor } from '../token/project-for.js';

const FLUSH_MS = 10_000;
/** Distinct pulls kept in memory; when there are so many they are written at once. */
const MOST_WAITING = 50_000;
const PULL = auditEventType({ operation: 'pull', resourceType: 'artifact' });

type PullExchange = Exchange<{ kind: 'manifest'; repository: string; reference: ManifestReference }>;

/** What one caller pulled of one tag or digest since the last flush. */
interface Waiting {
  readonly key: string;
  readonly repositoryId: string;
  readonly tag: string | undefined;
  /** What the audit trail is told; the address is that of the first of these pulls. */
  readonly told: Required<Pick<NewEvent, 'actor' | 'origin'>> & { readonly payload: EventPayload<'artifact.pulled'> };
  count: number;
  at: number;
}

/**
 * Counts pulls in memory and writes them every ten seconds, so that a pull costs no write. The audit trail gets one line
 * for each caller, repository, tag and digest of these ten seconds, saying how many pulls it stands for. A crash loses
 * at most what those ten seconds held.
 */
export class PullRecorder {
  readonly #catalog: Pick<Catalog, 'recordPulls'>;
  readonly #configuration: Pick<LiveConfiguration, 'current'>;
  readonly #logger: Logger;
  #waiting = new Map<string, Waiting>();
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lost = 0;

  constructor(parts: { readonly catalog: Pick<Catalog, 'recordPulls'>; readonly configuration: Pick<LiveConfiguration, 'current'>; readonly logger: Logger }) {
    this.#catalog = parts.catalog;
    this.#configuration = parts.configuration;
    this.#logger = parts.logger;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }

  record(exchange: PullExchange, { repositoryId, digest }: StoredManifest): void {
    const { repository, reference } = exchange.route;
    const tag = 'tag' in reference ? reference.tag : undefined;
    const key = `${exchange.actor} ${repositoryId}:${tag ?? ''}@${digest}`;
    const waiting = this.#waiting.get(key);
    if (waiting) {
      waiting.count += 1;
      waiting.at = Date.now();
      return;
    }
    const payload = { project: projectFor(exchange.claims, repository), repository, digest, ...(tag === undefined ? {} : { tag }) };
    this.#keep({ key, repositoryId, tag, told: { actor: exchange.actor, origin: exchange.origin.snapshot(), payload }, count: 1, at: Date.now() });
  }

  /** Writes what waits; when the database is away it waits for the next time. One flush at a time. */
  flush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => { this.#flushing = undefined; });
    return this.#flushing;
  }

  async #write(): Promise<void> {
    this.#reportLost();
    if (this.#waiting.size === 0) return;
    const batch = [...this.#waiting.values()];
    this.#waiting = new Map();
    try {
      const configuration = await this.#configuration.current();
      const events = isAudited(PULL, configuration) ? batch.map(eventOf) : [];
      await this.#catalog.recordPulls(batch.map((pull) => pullOf(pull, configuration)), events);
    } catch (error) {
      this.#logger.warn('pulls could not be recorded yet', { error, pulls: batch.length });
      for (const pull of batch) this.#restore(pull);
    }
  }

  #restore(pull: Waiting): void {
    const newer = this.#waiting.get(pull.key);
    if (newer) newer.count += pull.count;
    else this.#keep(pull);
  }

  #keep(pull: Waiting): void {
    if (this.#waiting.size >= MOST_WAITING) {
      this.#lost += pull.count;
      return;
    }
    this.#waiting.set(pull.key, pull);
    if (this.#waiting.size === MOST_WAITING) void this.flush();
  }

  #reportLost(): void {
    if (this.#lost > 0) this.#logger.error('pulls were not recorded: too many wait for the database', { pulls: this.#lost });
    this.#lost = 0;
  }
}

function pullOf({ repositoryId, told, tag, count, at }: Waiting, configuration: Configuration): Pull {
  return {
    repositoryId, digest: told.payload.digest, ...(tag === undefined ? {} : { tag }),
    count: configuration.pull_count_update_disable ? 0 : count,
    at: configuration.pull_time_update_disable ? undefined : new Date(at),
  };
}

function eventOf({ told: { actor, origin, payload }, count }: Waiting): NewEvent {
  return { type: 'artifact.pulled', payload: { ...payload, count }, actor, origin };
}
