import { z } from 'zod';
import { Timestamp } from './fields.js';

/** What became of one notification for one target. */
export const WebhookDelivery = z.object({
  id: z.number().int(),
  policy_id: z.number().int(),
  policy_name: z.string(),
  /** Missing for a policy of the whole installation. */
  project_id: z.number().int().optional(),
  /** The event that is told of. */
  event_id: z.string(),
  /** What receivers know the notification by: the webhook-id header. */
  notification_id: z.string(),
  event_type: z.string(),
  /** What it is about: a repository or project. What is about the same arrives in its order. */
  subject: z.string(),
  /** Where it goes to, without path and query. */
  address: z.string(),
  /** waiting, delivered or dead: given up. */
  state: z.string(),
  /** Why it failed the last time. */
  fault: z.string().optional(),
  attempts: z.number().int(),
  /** Missing while it waits for another delivery about the same, or is being tried. */
  next_attempt_time: Timestamp.optional(),
  execution_id: z.number().int(),
  task_id: z.number().int(),
  creation_time: Timestamp,
  end_time: Timestamp.optional(),
}).meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

/** Something that happened, and how far it was told of. */
export const PlatformEvent = z.object({
  id: z.number().int(),
  event_id: z.string(),
  type: z.string(),
  project_id: z.number().int().optional(),
  repository: z.string().optional(),
  /** Who caused it; empty for the platform itself. */
  operator: z.string(),
  /** waiting for the queue, queued, or handled by everybody who wanted it. */
  state: z.string(),
  creation_time: Timestamp,
  queue_time: Timestamp.optional(),
  handle_time: Timestamp.optional(),
  /** Notifications of webhooks about it, by their state. */
  deliveries: z.object({ waiting: z.number().int(), delivered: z.number().int(), dead: z.number().int() }).meta({ id: 'DeliveryCounts' }),
}).meta({ id: 'PlatformEvent' });
export type PlatformEvent = z.infer<typeof PlatformEvent>;
