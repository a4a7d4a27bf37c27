import { z } from 'zod';
import { text } from './fields.js';
import { WebhookPolicy, WebhookPolicyReq } from './webhook.js';

/** Patterns of the names of projects, as those of retention rules have them; none for all projects. */
const projects = z.array(text(255)).max(100);

/** Whom the whole installation tells of what. */
export const SystemWebhookPolicy = WebhookPolicy.omit({ project_id: true }).extend({ projects }).meta({ id: 'SystemWebhookPolicy' });
export type SystemWebhookPolicy = z.infer<typeof SystemWebhookPolicy>;

/** Body of POST and PUT. */
export const SystemWebhookPolicyReq = WebhookPolicyReq.extend({ projects: projects.optional() }).meta({ id: 'SystemWebhookPolicyReq' });
export type SystemWebhookPolicyReq = z.infer<typeof SystemWebhookPolicyReq>;
