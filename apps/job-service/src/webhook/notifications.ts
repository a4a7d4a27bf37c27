import type { DeliveredEvent, EventPayload } from '@haven/messages';
import type { Notification, WebhookEventType } from '@haven/execution';

/** What receivers are told about a repository. */
export interface ToldRepository {
  readonly fullName: string;
  readonly public: boolean;
  /** Undefined when it is gone. */
  readonly createdAt: Date | undefined;
}

const TYPES = { 'artifact.pushed': 'PUSH_ARTIFACT', 'artifact.pulled': 'PULL_ARTIFACT', 'artifact.deleted': 'DELETE_ARTIFACT' } as const satisfies Record<string, WebhookEventType>;

export type ToldEvent = keyof typeof TYPES;

export const TOLD_EVENTS = Object.keys(TYPES) as ToldEvent[];

export function webhookTypeOf(event: ToldEvent): WebhookEventType {
  return TYPES[event];
}

/**
 * What is told of an event: one notification for each tag of a push.
 *
 * @param host how clients reach the registry, without a scheme; '' when nobody said
 */
export function notificationsOf(event: DeliveredEvent<ToldEvent>, repository: ToldRepository, host: string): Notification[] {
  const { digest } = event.payload;
  const [namespace = '', ...rest] = repository.fullName.split('/');
  const told = {
    ...(event.type === 'artifact.deleted' || repository.createdAt === undefined ? {} : { date_created: seconds(repository.createdAt) }),
    name: rest.join('/'), namespace, repo_full_name: repository.fullName, repo_type: repository.public ? 'public' : 'private',
  };
  const address = host === '' ? repository.fullName : `${host}/${repository.fullName}`;
  return tagsOf(event).map((tag) => ({
    type: TYPES[event.type], occur_at: seconds(event.createdAt), operator: event.origin.name ?? '', request_id: event.origin.requestId ?? '',
    event_data: { resources: [{ digest, tag: tag ?? digest, resource_url: tag === undefined ? `${address}@${digest}` : `${address}:${tag}` }], repository: told },
  }));
}

function tagsOf(event: DeliveredEvent<ToldEvent>): (string | undefined)[] {
  if (event.type === 'artifact.deleted') return [undefined];
  if (event.type === 'artifact.pulled') return [(event.payload as EventPayload<'artifact.pulled'>).tag];
  const { tags } = event.payload as EventPayload<'artifact.pushed'>;
  return tags.length === 0 ? [undefined] : [...tags];
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
