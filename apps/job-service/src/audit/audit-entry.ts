import { AUDITED_EVENTS, EVENTS, oneLine, type AuditedEvent, type DeliveredEvent, type EventPayload } from '@haven/messages';

/** A line of the audit trail as it is kept and forwarded. Every text is one line, bounded, and without control characters. */
export interface AuditEntry {
  readonly eventId: string;
  /** The event's own time: it and the event's id make a line unique, however often the event comes. */
  readonly at: Date;
  /** The project it belongs to, if any. */
  readonly project: number | undefined;
  /** Who did it: `user:3`, `robot:7`; empty for nobody known and for the platform itself. */
  readonly subject: string;
  /** The name that the caller had or, for a failed login, gave; empty until it is looked up. */
  readonly username: string;
  readonly operation: string;
  readonly resourceType: string;
  readonly resource: string;
  readonly description: string;
  readonly result: boolean;
  readonly address: string;
  readonly requestId: string;
}

/** What was done to what, in the words of the Harbor API. */
type Deed = Pick<AuditEntry, 'operation' | 'resourceType' | 'resource' | 'description'> & { readonly result?: boolean };

const LONGEST = { name: 255, resource: 1024, description: 2048, address: 64, requestId: 128 };

const DEEDS: { readonly [N in AuditedEvent]: (payload: EventPayload<N>) => Deed } = {
  'audit.recorded': ({ operation, resourceType, resource, description, result }) => ({ operation, resourceType, resource, description, result }),
  'artifact.pushed': (pushed) => artifact('create', 'push', { ...pushed, tag: pushed.tags[0] }),
  'artifact.pulled': (pulled) => {
    const times = pulled.count !== undefined && pulled.count > 1 ? `, ${pulled.count} times` : '';
    const deed = artifact('pull', 'pull', pulled);
    return { ...deed, description: `${deed.description}${times}` };
  },
  'artifact.deleted': (deleted) => artifact('delete', 'delete', deleted),
  'artifact.restored': (restored) => artifact('restore', 'restore', restored),
  'tag.created': (tag) => tagDeed('create', tag),
  'tag.moved': (tag) => tagDeed('update', tag, `, from ${tag.from} to ${tag.digest}`),
  'tag.deleted': (tag) => tagDeed('delete', tag),
  'repository.created': ({ repository }) => repositoryDeed('create', repository),
  'repository.deleted': ({ repository }) => repositoryDeed('delete', repository),
  'repository.restored': ({ repository }) => repositoryDeed('restore', repository),
};

/** The line that an event becomes; undefined for events that the trail does not keep. */
export function entryOf(event: DeliveredEvent): AuditEntry | undefined {
  if (!isAudited(event)) return undefined;
  const { type, payload, origin } = event;
  const deed = deedOf(type, payload);
  return {
    eventId: event.id,
    at: event.createdAt,
    project: 'project' in payload ? payload.project : undefined,
    subject: event.actor,
    username: oneLine(origin.name ?? '', LONGEST.name),
    operation: deed.operation,
    resourceType: deed.resourceType,
    resource: oneLine(deed.resource, LONGEST.resource),
    description: oneLine(deed.description, LONGEST.description),
    result: deed.result ?? true,
    address: oneLine(origin.address ?? '', LONGEST.address),
    requestId: oneLine(origin.requestId ?? '', LONGEST.requestId),
  };
}

function isAudited(event: DeliveredEvent): event is DeliveredEvent<AuditedEvent> {
  return (AUDITED_EVENTS as readonly string[]).includes(event.type);
}

function deedOf<N extends AuditedEvent>(type: N, payload: EventPayload<AuditedEvent>): Deed {
  return DEEDS[type](EVENTS[type].parse(payload) as EventPayload<N>);
}

function artifact(operation: string, verb: string, { repository, tag, digest }: { readonly repository: string; readonly tag?: string | undefined; readonly digest: string }): Deed {
  const resource = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`;
  return { operation, resourceType: 'artifact', resource, description: `${verb} artifact: ${repository}@${digest}` };
}

function tagDeed(operation: string, { repository, tag }: { readonly repository: string; readonly tag: string }, detail = ''): Deed {
  const resource = `${repository}:${tag}`;
  return { operation, resourceType: 'tag', resource, description: `${operation} tag: ${resource}${detail}` };
}

function repositoryDeed(operation: string, repository: string): Deed {
  return { operation, resourceType: 'repository', resource: repository, description: `${operation} repository: ${repository}` };
}
