import { appendEvents, type Database, type Origin } from '@haven/database';
import type { DeliveredEvent, EventName } from '@haven/messages';
import { Batches } from '../event/batches.js';
import type { EventSubscriber } from '../event/subscribers.js';
import { forgetRefusals, markWarned, projectsWithLimit, unmarkWarned, type Freed, type LimitedProject } from './quota.store.js';

/** From this part of its limit on, a project is warned. */
const WARNED_FROM = 0.85;
const LARGEST_BATCH = 100;

const ADDING = ['artifact.pushed', 'artifact.restored', 'repository.restored', 'quota.exceeded'] as const satisfies readonly EventName[];
const FREEING = ['artifact.deleted', 'repository.deleted'] as const satisfies readonly EventName[];

type Watched = (typeof ADDING)[number] | (typeof FREEING)[number];

/** Tells, as an event, when a project has taken most of its quota: once, until it was below again. */
export class QuotaWatch implements EventSubscriber {
  readonly name = 'quota-watch';
  readonly events: readonly EventName[] = [...ADDING, ...FREEING];
  readonly #database: Database;
  readonly #batches = new Batches<DeliveredEvent<Watched>>((events) => this.#look(events), LARGEST_BATCH);

  constructor(database: Database) {
    this.#database = database;
  }

  handle(event: DeliveredEvent): Promise<void> {
    return this.#batches.add(event as DeliveredEvent<Watched>);
  }

  async #look(events: readonly DeliveredEvent<Watched>[]): Promise<void> {
    const projects = await projectsWithLimit(this.#database, [...new Set(events.map(({ payload }) => payload.project))]);
    if (projects.length === 0) return;
    await forgetRefusals(this.#database, projects.flatMap(({ id }) => latestFreed(id, events)));
    for (const project of projects) {
      const full = project.used >= project.hard * WARNED_FROM;
      if (!full && project.warned) await unmarkWarned(this.#database, project.id);
      const cause = events.findLast(({ type, payload }) => payload.project === project.id && isOneOf(type, ADDING));
      if (full && !project.warned && cause !== undefined) await this.#warn(project, cause);
    }
  }

  async #warn({ id, used, hard }: LimitedProject, { payload, actor, origin }: DeliveredEvent<Watched>): Promise<void> {
    const { name = '', address = '', requestId = '' } = origin;
    const cause: Origin = { name, address, requestId };
    await this.#database.transaction(async (transaction) => {
      if (!(await markWarned(transaction, id))) return;
      const tags = 'tags' in payload && payload.tags !== undefined ? { tags: payload.tags.slice(0, 1000) } : {};
      const digest = 'digest' in payload && payload.digest !== undefined ? { digest: payload.digest } : {};
      await appendEvents(transaction, [{ type: 'quota.warned', payload: { project: id, repository: payload.repository, ...digest, ...tags, used, hard }, actor, origin: cause }]);
    });
  }
}

function latestFreed(projectId: number, events: readonly DeliveredEvent<Watched>[]): Freed[] {
  const times = events.filter(({ type, payload }) => payload.project === projectId && isOneOf(type, FREEING)).map(({ createdAt }) => createdAt.getTime());
  return times.length === 0 ? [] : [{ projectId, at: new Date(Math.max(...times)) }];
}

function isOneOf(type: EventName, names: readonly EventName[]): boolean {
  return names.includes(type);
}
