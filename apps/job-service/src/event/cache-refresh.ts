import { EVENTS, type Broadcasts, type DeliveredEvent, type EventName, type EventPayload } from '@haven/messages';
import type { EventSubscriber } from './subscribers.js';

type Announcements = { readonly [N in EventName]?: (payload: EventPayload<N>, broadcasts: Broadcasts) => void };

/**
 * Which caches an event makes stale. Whoever made the change has broadcast this already; saying it again here repairs
 * what was lost in between, and covers writers that crashed right after their commit.
 */
const ANNOUNCEMENTS = {
  'tag.created': announceTag,
  'tag.moved': announceTag,
  'tag.deleted': announceTag,
  'artifact.deleted': ({ repository, digest }, broadcasts) => { broadcasts.publish('manifest-deleted', { repository, digest }); },
  'repository.deleted': ({ repository }, broadcasts) => { broadcasts.publish('repository-deleted', { repository }); },
  // What came back is forgotten, too: a repository of the same name may have been known in between.
  'artifact.restored': ({ repository, digest }, broadcasts) => { broadcasts.publish('manifest-deleted', { repository, digest }); },
  'repository.restored': ({ repository }, broadcasts) => { broadcasts.publish('repository-deleted', { repository }); },
  'project.created': announceProject,
  'project.deleted': (payload, broadcasts) => {
    announceProject(payload, broadcasts);
    announceAccess(payload, broadcasts);
  },
  'project.visibility-changed': (payload, broadcasts) => {
    announceProject(payload, broadcasts);
    announceAccess(payload, broadcasts);
  },
  'member.changed': announceAccess,
  'user.changed': announceAccess,
  'user.deleted': announceAccess,
} as const satisfies Announcements;

/** Repeats the broadcasts that belong to an event. Saying them twice does no harm. */
export class CacheRefresh implements EventSubscriber {
  readonly name = 'cache-refresh';
  readonly events = Object.keys(ANNOUNCEMENTS) as EventName[];
  readonly #broadcasts: Broadcasts;

  constructor(broadcasts: Broadcasts) {
    this.#broadcasts = broadcasts;
  }

  async handle<N extends EventName>(event: DeliveredEvent<N>): Promise<void> {
    const announce = (ANNOUNCEMENTS as Announcements)[event.type];
    announce?.(EVENTS[event.type].parse(event.payload) as EventPayload<N>, this.#broadcasts);
  }
}

function announceTag({ repository, tag }: EventPayload<'tag.deleted'>, broadcasts: Broadcasts): void {
  broadcasts.publish('tag-changed', { repository, tag });
}

function announceProject({ name }: EventPayload<'project.created'>, broadcasts: Broadcasts): void {
  if (name !== undefined) broadcasts.publish('project-changed', { project: name });
}

function announceAccess(_payload: object, broadcasts: Broadcasts): void {
  broadcasts.publish('access-changed', {});
}
