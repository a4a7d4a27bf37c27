import type { Configuration } from '@haven/api';
import type { Database, SettingsTable, Transaction } from '@haven/database';
import { lockSubjects, startDeliveries, type DeliveryToStart, type Executions, type StartedExecution } from '@haven/execution';
import { EVENTS, type DeliveredEvent } from '@haven/messages';
import { matchesGlob } from '@haven/policy';
import { Batches } from '../event/batches.js';
import type { EventSubscriber } from '../event/subscribers.js';
import { notificationsOf, TOLD_EVENTS, webhookTypeOf, type ToldEvent } from './notifications.js';
import { deletedArtifacts, policiesFor, projectsById, repositoryTimes, someUnplanned, waitingEvents, type PolicyRow, type ProjectRow, type WaitingEvent } from './webhook-plan.store.js';

export interface PlannerParts {
  readonly database: Database;
  readonly executions: Executions;
  readonly settings: Pick<SettingsTable<Configuration>, 'current'>;
  /** How clients reach the registry, without a scheme; '' when nobody said. */
  readonly host: string;
}

const LARGEST_BATCH = 200;
/** Events that one transaction plans at most. */
const SLICE = 500;
/** Artifacts of one deleted repository that are told of. */
const MOST_DELETED = 10_000;

type Told = DeliveredEvent<ToldEvent>;

interface Plan {
  readonly policies: readonly PolicyRow[];
  readonly projects: ReadonlyMap<number, ProjectRow>;
  readonly events: readonly Told[];
}

interface Slice {
  readonly started: readonly StartedExecution[];
  /** The place of its last event; undefined when there are no more. */
  readonly last: string | undefined;
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
    const projectIds = [...new Set(batch.map(({ payload }) => payload.project))];
    const policies = await policiesFor(database, projectIds);
    if (policies.length === 0) return;
    const projects = await projectsById(database, projectIds);
    const events = batch.filter((event) => policies.some((policy) => wants(policy, event, projects)));
    if (events.length === 0 || !(await someUnplanned(database, events.map(({ id }) => id)))) return;
    for (let slice: Slice = { started: [], last: '0' }; slice.last !== undefined;) {
      const after = slice.last;
      slice = await database.transaction<Slice>((transaction) => this.#planSlice(transaction, { policies, projects, events }, after));
      await executions.wakeAll(slice.started);
    }
  }

  /** Events about a subject come to several workers at once: whoever is first plans those before it, too. */
  async #planSlice(transaction: Transaction, { policies, projects, events }: Plan, after: string): Promise<Slice> {
    const subjects = [...new Set(events.map(subjectOf))];
    await lockSubjects(transaction, subjects);
    const types = TOLD_EVENTS.filter((type) => policies.some((policy) => policy.eventTypes.includes(webhookTypeOf(type))));
    const waiting = await waitingEvents(transaction, { eventIds: events.map(({ id }) => id), subjects, types, after, limit: SLICE });
    const deliveries = await this.#deliveriesOf(transaction, waiting, { policies, projects });
    return { started: await startDeliveries(transaction, this.#parts.executions, deliveries), last: waiting.length < SLICE ? undefined : waiting.at(-1)?.place };
  }

  async #deliveriesOf(transaction: Transaction, waiting: readonly WaitingEvent[], { policies, projects }: Omit<Plan, 'events'>): Promise<DeliveryToStart[]> {
    const events = waiting.map(({ event }) => ({ ...event, payload: EVENTS[event.type].parse(event.payload) }) as Told);
    const times = await repositoryTimes(transaction, [...new Set(events.flatMap(({ payload }) => ('repository' in payload ? [payload.repository] : [])))]);
    const gone = await deletedArtifacts(transaction, events.flatMap((event) => binEntryOf(event) ?? []), MOST_DELETED);
    return events.flatMap((event) => {
      const { payload } = event;
      const project = projects.get(payload.project);
      const interested = policies.filter((policy) => wants(policy, event, projects));
      if (project === undefined || interested.length === 0) return [];
      const repositoryCreatedAt = 'repository' in payload ? times.get(payload.repository) : undefined;
      const notifications = notificationsOf(event, { host: this.#parts.host, project, repositoryCreatedAt, deleted: gone.get(binEntryOf(event) ?? '') ?? [] });
      return notifications.flatMap((notification, part) => interested.flatMap(({ id, targetTypes }) => targetTypes.map((targetType, target): DeliveryToStart => (
        { policyId: id, target, targetType, eventId: event.id, part, subject: subjectOf(event), notification }
      ))));
    });
  }
}

function wants({ projectId, projects: patterns, eventTypes }: PolicyRow, { type, payload }: Told, projects: ReadonlyMap<number, ProjectRow>): boolean {
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
