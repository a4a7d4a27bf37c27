import type { Configuration } from '@haven/api';
import type { Database, SettingsTable, Transaction } from '@haven/database';
import { lockSubjects, startDeliveries, type Executions, type Notification, type StartedExecution } from '@haven/execution';
import { EVENTS, type DeliveredEvent } from '@haven/messages';
import { matchesGlob } from '@haven/policy';
import type { Logger } from '@haven/runtime';
import { Batches } from '../event/batches.js';
import type { EventSubscriber } from '../event/subscribers.js';
import { notificationsOf, TOLD_EVENTS, webhookTypeOf, type DeletedArtifact, type ToldEvent } from './notifications.js';
import {
  deletedArtifacts, notePlans, policiesFor, projectsById, repositoryTimes, someUnplanned, waitingEvents, type DeletedArtifacts, type DeletedRepository, type PolicyRow, type ProjectRow, type WaitingEvent,
} from './webhook-plan.store.js';
import { sliceOf, type EventToPlan, type SliceLimits } from './webhook-slice.js';

export interface PlannerParts {
  readonly database: Database;
  readonly executions: Executions;
  readonly settings: Pick<SettingsTable<Configuration>, 'current'>;
  /** How clients reach the registry, without a scheme; '' when nobody said. */
  readonly host: string;
  readonly logger: Logger;
}

const LARGEST_BATCH = 200;
/** What one transaction plans at most: little enough for its memory and its time, whatever an event is worth in deliveries. */
const SLICE: SliceLimits = { deliveries: 2000, bytes: 4 * 1024 ** 2 };
/** Events that one transaction looks at. */
const READ = { limit: 500, bytes: 4 * 1024 ** 2 };
/** Deleted repositories that one transaction reads the artifacts of. */
const REPOSITORIES = 5;
/** Artifacts of one deleted repository that are told of, when so many targets are told that this makes no more deliveries than that. */
const MOST_DELETED = 1000;
const MOST_OF_REPOSITORY = 20_000;

type Told = DeliveredEvent<ToldEvent>;

interface Interest {
  readonly policies: readonly PolicyRow[];
  readonly projects: ReadonlyMap<number, ProjectRow>;
}

/** An event that waits, with those who are told of it. */
interface Candidate {
  readonly waiting: WaitingEvent;
  readonly event: Told;
  readonly interested: readonly PolicyRow[];
  /** Set when its artifacts have to be read. */
  readonly repository: DeletedRepository | undefined;
}

interface Around {
  readonly projects: ReadonlyMap<number, ProjectRow>;
  readonly times: ReadonlyMap<string, Date>;
  readonly gone: ReadonlyMap<string, DeletedArtifacts>;
}

interface Progress {
  readonly started: readonly StartedExecution[];
  /** The place of the last event that is planned completely. */
  readonly place: string;
  readonly done: boolean;
  /** Deleted repositories of which not every artifact is told. */
  readonly shortened: readonly string[];
}

/** Turns events into deliveries, once for each policy, target and tag, in the order in which they happened. */
export class WebhookPlanner implements EventSubscriber {
  readonly name = 'webhooks';
  readonly events = TOLD_EVENTS;
  readonly #parts: PlannerParts;
  readonly #batches = new Batches<Told>((events) => this.#planBatch(events), LARGEST_BATCH);

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  handle(event: DeliveredEvent): Promise<void> {
    return isTold(event) ? this.#batches.add(event) : Promise.resolve();
  }

  async #planBatch(batch: readonly Told[]): Promise<void> {
    const { database, executions, settings } = this.#parts;
    if (!(await settings.current()).notification_enable) return;
    const policies = await policiesFor(database, projectsOf(batch));
    if (policies.length === 0) return;
    const projects = await projectsById(database, projectsOf(batch));
    const events = batch.filter((event) => policies.some((policy) => wants(policy, event, projects)));
    if (events.length === 0 || !(await someUnplanned(database, events.map(({ id }) => id)))) return;
    for (let progress: Progress = { started: [], place: '0', done: false, shortened: [] }; !progress.done;) {
      const after = progress.place;
      progress = await database.transaction((transaction) => this.#planSlice(transaction, events, after));
      for (const repository of progress.shortened) this.#parts.logger.warn('a deleted repository had more artifacts than webhooks tell of', { repository });
      await executions.wakeAll(progress.started);
    }
  }

  /**
   * Events about a subject come to several workers at once: whoever is first plans those before it, too, and what others have
   * only begun. They may be of another project, one that had the name before, and of times when other policies were known.
   */
  async #planSlice(transaction: Transaction, batch: readonly Told[], after: string): Promise<Progress> {
    const subjects = [...new Set(batch.map(subjectOf))];
    await lockSubjects(transaction, subjects);
    const policies = await policiesFor(transaction, projectsOf(batch));
    const types = TOLD_EVENTS.filter((type) => policies.some((policy) => policy.eventTypes.includes(webhookTypeOf(type))));
    const waiting = await waitingEvents(transaction, { eventIds: batch.map(({ id }) => id), subjects, types, after, ...READ });
    const events = waiting.events.map(({ event }) => ({ ...event, payload: EVENTS[event.type].parse(event.payload) }) as Told);
    const projects = await projectsById(transaction, projectsOf(events));
    const candidates = waiting.events.map((one, index) => candidateOf(one, events[index] as Told, { policies, projects }));
    const gone = await deletedArtifacts(transaction, candidates.flatMap(({ repository }) => repository ?? []).slice(0, REPOSITORIES), SLICE.deliveries);
    const unread = candidates.findIndex(({ repository }) => repository !== undefined && !gone.has(repository.eventId));
    const ready = unread === -1 ? candidates : candidates.slice(0, unread);
    const times = await repositoryTimes(transaction, [...new Set(ready.flatMap(({ event: { payload } }) => ('repository' in payload ? [payload.repository] : [])))]);
    const { deliveries, finished, begun } = sliceOf(this.#eventsToPlan(ready, { projects, times, gone }), SLICE);
    const planned = ready.slice(0, finished);
    await notePlans(transaction, planned.filter((one) => one.waiting.planned !== undefined).map(({ event }) => event.id), begun, begun && artifactsToNote(begun.eventId, candidates, gone));
    const touched = ready.slice(0, begun === undefined ? finished : finished + 1);
    return {
      started: await startDeliveries(transaction, this.#parts.executions, deliveries), place: planned.at(-1)?.waiting.place ?? after, done: waiting.all && finished === candidates.length,
      shortened: touched.filter(({ event }) => gone.get(event.id)?.more === true).map(({ event }) => subjectOf(event)),
    };
  }

  /** One after the other, as far as the slice reaches: together they may be large. */
  * #eventsToPlan(candidates: readonly Candidate[], { projects, times, gone }: Around): Generator<EventToPlan> {
    for (const { waiting: { planned }, event, interested } of candidates) {
      const { id: eventId, payload } = event;
      const project = projects.get(payload.project);
      const repositoryCreatedAt = 'repository' in payload ? times.get(payload.repository) : undefined;
      const around = project && { host: this.#parts.host, project, repositoryCreatedAt, deleted: gone.get(eventId)?.artifacts ?? [] };
      const notifications = (from: number): Iterable<Notification> => (around === undefined || interested.length === 0 ? [] : notificationsOf(event, around, from));
      yield { eventId, subject: subjectOf(event), notifications, policies: interested, planned };
    }
  }
}

function projectsOf(events: readonly Told[]): number[] {
  return [...new Set(events.map(({ payload }) => payload.project))];
}

/** Those of an event of which nothing was planned before: then they are written down already. */
function artifactsToNote(eventId: string, candidates: readonly Candidate[], gone: Around['gone']): readonly DeletedArtifact[] | undefined {
  return candidates.some(({ event, waiting }) => event.id === eventId && waiting.planned !== undefined) ? undefined : gone.get(eventId)?.artifacts;
}

function candidateOf(waiting: WaitingEvent, event: Told, { policies, projects }: Interest): Candidate {
  const interested = policies.filter((policy) => wants(policy, event, projects));
  const entry = binEntryOf(event);
  const targets = interested.reduce((sum, { targetTypes }) => sum + targetTypes.length, 0);
  if (entry === undefined || targets === 0) return { waiting, event, interested, repository: undefined };
  return { waiting, event, interested, repository: { eventId: event.id, entry, most: Math.max(1, Math.min(MOST_DELETED, Math.floor(MOST_OF_REPOSITORY / targets))) } };
}

function wants({ projectId, projects: patterns, eventTypes }: PolicyRow, { type, payload }: Told, projects: Interest['projects']): boolean {
  if (!eventTypes.includes(webhookTypeOf(type))) return false;
  if (projectId !== undefined) return projectId === payload.project;
  const name = projects.get(payload.project)?.name;
  return name !== undefined && (patterns.length === 0 || patterns.some((pattern) => matchesGlob(pattern, name)));
}

/** As the query for waiting events has it. */
function subjectOf({ payload }: Told): string {
  if ('repository' in payload) return payload.repository;
  return payload.name ?? String(payload.project);
}

function binEntryOf({ type, payload }: Told): string | undefined {
  return type === 'repository.deleted' && 'binEntry' in payload ? payload.binEntry : undefined;
}

function isTold(event: DeliveredEvent): event is Told {
  return (TOLD_EVENTS as readonly string[]).includes(event.type);
}
