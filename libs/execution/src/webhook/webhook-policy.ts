import { createHash } from 'node:crypto';

/** What can be told of, by its name in the Harbor API, with its type as a CloudEvent. */
export const WEBHOOK_EVENTS = {
  PUSH_ARTIFACT: 'harbor.artifact.pushed',
  PULL_ARTIFACT: 'harbor.artifact.pulled',
  DELETE_ARTIFACT: 'harbor.artifact.deleted',
  QUOTA_EXCEED: 'harbor.quota.exceeded',
  QUOTA_WARNING: 'harbor.quota.warned',
  SCANNING_COMPLETED: 'harbor.scan.completed',
  SCANNING_FAILED: 'harbor.scan.failed',
  SCANNING_STOPPED: 'harbor.scan.stopped',
  REPLICATION: 'harbor.replication.status.changed',
  TAG_RETENTION: 'harbor.tag_retention.finished',
} as const;

/** What only policies of the whole installation are told of besides; Haven's own. */
export const SYSTEM_WEBHOOK_EVENTS = {
  CREATE_PROJECT: 'haven.project.created',
  DELETE_PROJECT: 'haven.project.deleted',
} as const;

export type WebhookEventType = keyof typeof WEBHOOK_EVENTS | keyof typeof SYSTEM_WEBHOOK_EVENTS;

/** The type of a CloudEvent about it. */
export function cloudEventTypeOf(type: WebhookEventType): string {
  return { ...WEBHOOK_EVENTS, ...SYSTEM_WEBHOOK_EVENTS }[type];
}

/** Kinds of targets with the forms in which they are told. */
export const WEBHOOK_FORMATS = { http: ['Default', 'CloudEvents'], slack: [] } as const;

export type WebhookTargetType = keyof typeof WEBHOOK_FORMATS;

/** A target as it is stored: what is secret is sealed for its policy. */
export interface StoredTarget {
  readonly type: WebhookTargetType;
  readonly address: string;
  readonly skip_cert_verify: boolean;
  /** Empty for Slack. */
  readonly payload_format: string;
  readonly auth_header?: string;
  readonly secret?: string;
}

/** One thing to tell, in the form that its target does not depend on. */
export interface Notification {
  readonly type: WebhookEventType;
  /** Seconds since 1970. */
  readonly occur_at: number;
  readonly operator: string;
  readonly request_id: string;
  readonly event_data: Readonly<Record<string, unknown>>;
}

/** One id for each thing that is told, whoever it is told: the event's own, and for further parts one made of it. */
export function notificationId(eventId: string, part: number): string {
  if (part === 0) return eventId;
  const hash = createHash('sha256').update(`${eventId} ${part}`).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** What the secrets of a policy are sealed for. */
export function webhookSecretContext(policyId: number): string {
  return `webhook-policy:${policyId}`;
}

export function webhookVendorOf(type: WebhookTargetType): 'WEBHOOK' | 'SLACK' {
  return type === 'slack' ? 'SLACK' : 'WEBHOOK';
}
