import { z } from 'zod';
import { Id, text, Timestamp } from './fields.js';
import { listParameters } from './paging.js';

/** Where a webhook sends to. `auth_header` and `secret` are `*****` where there is one that the reader may not see. */
export const WebhookTargetObject = z.object({
  /** http or slack. */
  type: text(64).optional(),
  address: text(2048).optional(),
  /** Sent as it is in the Authorization header. Shown to those who may change the policy. */
  auth_header: text(4096).optional(),
  skip_cert_verify: z.boolean().optional(),
  /** Default or CloudEvents for http, nothing for slack. */
  payload_format: text(64).optional(),
  /** Haven's own: payloads are signed with it, as Standard Webhooks has it. Never shown; left out, it stays while the address does. */
  secret: text(1024).optional(),
}).meta({ id: 'WebhookTargetObject' });
export type WebhookTargetObject = z.infer<typeof WebhookTargetObject>;

const policyFields = {
  name: text(255).optional(),
  description: text(1024).optional(),
  targets: z.array(WebhookTargetObject).max(100).optional(),
  event_types: z.array(text(64)).max(100).optional(),
  enabled: z.boolean().optional(),
};

/** Whom a project tells of what. */
export const WebhookPolicy = z.object({
  ...policyFields,
  id: z.number().int(),
  project_id: z.number().int(),
  creator: z.string(),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'WebhookPolicy' });
export type WebhookPolicy = z.infer<typeof WebhookPolicy>;

/** Body of POST and PUT; the project is that of the path. */
export const WebhookPolicyReq = z.object(policyFields).meta({ id: 'WebhookPolicyReq' });
export type WebhookPolicyReq = z.infer<typeof WebhookPolicyReq>;

export const WebhookLastTrigger = z.object({
  policy_name: z.string(),
  event_type: z.string(),
  enabled: z.boolean(),
  creation_time: Timestamp,
  last_trigger_time: Timestamp.optional(),
}).meta({ id: 'WebhookLastTrigger' });
export type WebhookLastTrigger = z.infer<typeof WebhookLastTrigger>;
export const WebhookLastTriggers = z.array(WebhookLastTrigger).meta({ id: 'WebhookLastTriggers' });

export const SupportedWebhookEventTypes = z.object({
  event_type: z.array(z.string()),
  notify_type: z.array(z.string()),
  payload_formats: z.array(z.object({ notify_type: z.string(), formats: z.array(z.string()) }).meta({ id: 'PayloadFormat' })),
}).meta({ id: 'SupportedWebhookEventTypes' });
export type SupportedWebhookEventTypes = z.infer<typeof SupportedWebhookEventTypes>;

/** Deliveries of a policy that is named, of all states or some. */
export const WebhookJobQuery = z.object({ ...listParameters, policy_id: Id, status: z.union([text(32), z.array(text(32)).max(10)]).optional() }).meta({ id: 'WebhookJobQuery' });
export type WebhookJobQuery = z.infer<typeof WebhookJobQuery>;

export const WebhookJob = z.object({
  id: z.number().int(),
  policy_id: z.number().int(),
  event_type: z.string(),
  notify_type: z.string(),
  status: z.string(),
  job_detail: z.string(),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'WebhookJob' });
export type WebhookJob = z.infer<typeof WebhookJob>;

/** Which dead letters to deliver again: all of the policy, when no ids are given. */
export const WebhookReplayReq = z.object({ ids: z.array(z.number().int().positive()).max(1000).optional() }).meta({ id: 'WebhookReplayReq' });
export type WebhookReplayReq = z.infer<typeof WebhookReplayReq>;
export const WebhookReplayed = z.object({ replayed: z.number().int() }).meta({ id: 'WebhookReplayed' });
export type WebhookReplayed = z.infer<typeof WebhookReplayed>;

const ExtraAttrs = z.record(z.string(), z.unknown()).meta({ id: 'ExtraAttrs' });

const count = z.number().int().optional();

/** How many tasks stand where; what is none is left out. */
const Metrics = z.object({
  task_count: z.number().int(),
  success_task_count: count,
  error_task_count: count,
  pending_task_count: count,
  running_task_count: count,
  scheduled_task_count: count,
  stopped_task_count: count,
}).meta({ id: 'Metrics' });

/** One notification for one target. */
export const WebhookExecution = z.object({
  id: z.number().int(),
  vendor_type: z.string(),
  vendor_id: z.number().int(),
  status: z.string(),
  status_message: z.string().optional(),
  trigger: z.string(),
  extra_attrs: ExtraAttrs,
  metrics: Metrics,
  start_time: Timestamp,
  end_time: Timestamp.optional(),
}).meta({ id: 'Execution' });
export type WebhookExecution = z.infer<typeof WebhookExecution>;

export const WebhookTask = z.object({
  id: z.number().int(),
  execution_id: z.number().int(),
  status: z.string(),
  status_message: z.string().optional(),
  run_count: z.number().int(),
  extra_attrs: ExtraAttrs,
  creation_time: Timestamp,
  update_time: Timestamp,
  start_time: Timestamp.optional(),
  end_time: Timestamp.optional(),
}).meta({ id: 'Task' });
export type WebhookTask = z.infer<typeof WebhookTask>;
