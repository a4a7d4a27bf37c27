import { readableSize } from '@haven/catalog';
import type { Notification, WebhookEventType } from '@haven/execution';
import type { DeliveredEvent, EventName, EventPayload } from '@haven/messages';

/** What is told of, by the event behind it. A repository that goes takes its artifacts along: they are told of one by one. */
const TYPES = {
  'artifact.pushed': 'PUSH_ARTIFACT',
  'artifact.pulled': 'PULL_ARTIFACT',
  'artifact.deleted': 'DELETE_ARTIFACT',
  'repository.deleted': 'DELETE_ARTIFACT',
  'quota.exceeded': 'QUOTA_EXCEED',
  'quota.warned': 'QUOTA_WARNING',
  'retention.finished': 'TAG_RETENTION',
  'project.created': 'CREATE_PROJECT',
  'project.deleted': 'DELETE_PROJECT',
} as const satisfies Partial<Record<EventName, WebhookEventType>>;

export type ToldEvent = keyof typeof TYPES;

export const TOLD_EVENTS = Object.keys(TYPES) as ToldEvent[];

export function webhookTypeOf(event: ToldEvent): WebhookEventType {
  return TYPES[event];
}

export interface DeletedArtifact {
  readonly digest: string;
  readonly tags: readonly string[];
}

/** What receivers are told beside what the event says. */
export interface Surroundings {
  /** How clients reach the registry, without a scheme; '' when nobody said. */
  readonly host: string;
  readonly project: { readonly name: string; readonly public: boolean };
  /** Undefined when the repository is gone. */
  readonly repositoryCreatedAt: Date | undefined;
  /** What went with a repository. */
  readonly deleted: readonly DeletedArtifact[];
}

type EventData = Notification['event_data'];

/** Tags of one deleted artifact that are told. */
const MOST_RESOURCES = 100;
const SUCCESS = 'SUCCESS';

/**
 * What is told of an event: one notification for each tag of a push, and for each artifact that went with a repository; from
 * that place on. They are made one after the other: together they may be large.
 */
export function* notificationsOf(event: DeliveredEvent<ToldEvent>, around: Surroundings, from = 0): Generator<Notification, void, undefined> {
  const { createdAt, origin } = event;
  const operator = event.type === 'retention.finished' ? (event.payload as EventPayload<'retention.finished'>).trigger : (origin.name ?? '');
  for (const data of dataOf(event, around, from)) yield { type: TYPES[event.type], occur_at: seconds(createdAt), operator, request_id: origin.requestId ?? '', event_data: data };
}

function* dataOf(event: DeliveredEvent<ToldEvent>, around: Surroundings, from: number): Generator<EventData, void, undefined> {
  if (event.type !== 'repository.deleted') return yield* singleData(event as DeliveredEvent<Single>, around).slice(from);
  const payload = event.payload as EventPayload<'repository.deleted'>;
  for (const { digest, tags } of around.deleted.slice(from)) yield deleted({ ...payload, digest, tags: [...tags] }, around);
}

type Single = Exclude<ToldEvent, 'repository.deleted'>;

function singleData(event: DeliveredEvent<Single>, around: Surroundings): EventData[] {
  switch (event.type) {
    case 'artifact.pushed': return pushed(event.payload as EventPayload<'artifact.pushed'>, around);
    case 'artifact.pulled': return [pulled(event.payload as EventPayload<'artifact.pulled'>, around)];
    case 'artifact.deleted': return [deleted(event.payload as EventPayload<'artifact.deleted'>, around)];
    case 'quota.exceeded': return [quota(event.payload as EventPayload<'quota.exceeded'>, (event.payload as EventPayload<'quota.exceeded'>).message, around)];
    case 'quota.warned': return [quotaWarning(event.payload as EventPayload<'quota.warned'>, around)];
    case 'retention.finished': return [retention(event.payload as EventPayload<'retention.finished'>, around)];
    case 'project.created': case 'project.deleted': return [projectData(event.payload as EventPayload<'project.created'>, around)];
  }
}

function pushed({ repository, digest, tags }: EventPayload<'artifact.pushed'>, around: Surroundings): EventData[] {
  return (tags.length === 0 ? [undefined] : tags).map((tag) => ({ resources: [resource(repository, digest, tag, around)], repository: repositoryData(repository, around) }));
}

function pulled({ repository, digest, tag }: EventPayload<'artifact.pulled'>, around: Surroundings): EventData {
  return { resources: [resource(repository, digest, tag, around)], repository: repositoryData(repository, around) };
}

function deleted({ repository, digest, tags = [] }: EventPayload<'artifact.deleted'>, around: Surroundings): EventData {
  const told = tags.length === 0 ? [undefined] : tags.slice(0, MOST_RESOURCES);
  return { resources: told.map((tag) => resource(repository, digest, tag, around)), repository: repositoryData(repository, { ...around, repositoryCreatedAt: undefined }) };
}

function quota({ repository, digest, tags = [] }: EventPayload<'quota.warned'>, details: string, around: Surroundings): EventData {
  const resources = digest === undefined ? [] : [resource(repository, digest, tags[0], around)];
  return { resources, repository: repositoryData(repository, around), custom_attributes: { Details: details } };
}

function quotaWarning(payload: EventPayload<'quota.warned'>, around: Surroundings): EventData {
  return quota(payload, `quota usage reach 85%: resource storage used ${readableSize(payload.used)} of ${readableSize(payload.hard)}`, around);
}

function retention({ repository, policy, total, retained, rules, deleted: gone }: EventPayload<'retention.finished'>, { host, project }: Surroundings): EventData {
  return {
    retention: {
      total, retained, harbor_hostname: host, project_name: project.name, retention_policy_id: policy,
      retention_rule: rules.map(({ template, params, tag_selectors, scope_selectors }) => ({ template, params, tag_selectors, scope_selectors })),
      result: SUCCESS,
      deleted_artifact: gone.map(({ digest, kind, tags }) => ({
        type: kind.toLowerCase(), status: SUCCESS, name_tag: tags[0] === undefined ? `${repository}@${digest}` : `${repository}:${tags[0]}`, references: tags.length === 0 ? [digest] : tags,
      })),
    },
  };
}

function projectData({ project }: EventPayload<'project.created'>, { project: { name, public: isPublic } }: Surroundings): EventData {
  return { project: { project_id: project, name, repo_type: repositoryType(isPublic) } };
}

/** `tag` is the digest where there is none, as in Harbor. */
function resource(repository: string, digest: string, tag: string | undefined, { host }: Surroundings): object {
  const address = host === '' ? repository : `${host}/${repository}`;
  return { digest, tag: tag ?? digest, resource_url: tag === undefined ? `${address}@${digest}` : `${address}:${tag}` };
}

function repositoryData(fullName: string, { project, repositoryCreatedAt: createdAt }: Surroundings): object {
  const [namespace = '', ...rest] = fullName.split('/');
  return {
    ...(createdAt === undefined ? {} : { date_created: seconds(createdAt) }),
    name: rest.join('/'), namespace, repo_full_name: fullName, repo_type: repositoryType(project.public),
  };
}

function repositoryType(isPublic: boolean): 'public' | 'private' {
  return isPublic ? 'public' : 'private';
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
