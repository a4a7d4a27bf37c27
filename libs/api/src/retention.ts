import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { RetentionSelector, ruleFields } from './rule.js';

export const RetentionRule = z.object({
  ...ruleFields,
  tag_selectors: z.array(RetentionSelector).max(100),
  scope_selectors: z.record(z.string().max(64), z.array(RetentionSelector).max(100)),
}).meta({ id: 'RetentionRule' });
export type RetentionRule = z.infer<typeof RetentionRule>;

/** A schedule of six fields in UTC, the first of them 0; none when `cron` is empty. */
export const RetentionRuleTrigger = z.object({
  kind: text(64),
  settings: z.object({ cron: text(1024).optional() }).nullable().optional(),
  references: z.record(z.string().max(64), z.unknown()).nullable().optional(),
}).meta({ id: 'RetentionRuleTrigger' });
export type RetentionRuleTrigger = z.infer<typeof RetentionRuleTrigger>;

/** `ref` is the project's id; `level` is always "project". */
export const RetentionPolicyScope = z.object({ level: text(64), ref: z.number().int() }).meta({ id: 'RetentionPolicyScope' });

/** Which artifacts of a project stay; the body of POST and PUT, too. */
export const RetentionPolicy = z.object({
  id: z.number().int().optional(),
  algorithm: text(64).optional(),
  rules: z.array(RetentionRule).max(1000).nullable().optional(),
  trigger: RetentionRuleTrigger,
  scope: RetentionPolicyScope,
}).meta({ id: 'RetentionPolicy' });
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

const RuleParameter = z.object({ type: z.string(), unit: z.string(), required: z.boolean() }).meta({ id: 'RetentionRuleParamMetadata' });
const RuleMetadata = z.object({
  rule_template: z.string(),
  display_text: z.string(),
  action: z.string(),
  params: z.array(RuleParameter),
}).meta({ id: 'RetentionRuleMetadata' });
const SelectorMetadata = z.object({ display_text: z.string(), kind: z.string(), decorations: z.array(z.string()) }).meta({ id: 'RetentionSelectorMetadata' });

/** What an editor of retention rules can offer. */
export const RetentionMetadata = z.object({
  templates: z.array(RuleMetadata),
  scope_selectors: z.array(SelectorMetadata),
  tag_selectors: z.array(SelectorMetadata),
}).meta({ id: 'RetentionMetadata' });
export type RetentionMetadata = z.infer<typeof RetentionMetadata>;

/** Body of POST /retentions/{id}/executions. A dry run deletes nothing. */
export const RetentionExecutionReq = z.object({ dry_run: z.boolean().optional() }).meta({ id: 'RetentionExecutionReq' });
export type RetentionExecutionReq = z.infer<typeof RetentionExecutionReq>;

/** Body of PATCH /retentions/{id}/executions/{eid}: "stop" is the only action. */
export const RetentionExecutionAction = z.object({ action: text(64) }).meta({ id: 'RetentionExecutionAction' });
export type RetentionExecutionAction = z.infer<typeof RetentionExecutionAction>;

export const RetentionExecution = z.object({
  id: z.number().int(),
  policy_id: z.number().int(),
  start_time: Timestamp,
  end_time: Timestamp.optional(),
  status: z.string(),
  /** Haven's own: why there was nothing to do, or why it was refused. */
  status_message: z.string().optional(),
  trigger: z.string(),
  dry_run: z.boolean(),
}).meta({ id: 'RetentionExecution' });
export type RetentionExecution = z.infer<typeof RetentionExecution>;

/** What became of one repository; `repository` is its name without the project, `total` and `retained` count artifacts. */
export const RetentionExecutionTask = z.object({
  id: z.number().int(),
  execution_id: z.number().int(),
  repository: z.string(),
  job_id: z.string(),
  status: z.string(),
  /** Haven's own: why it failed. */
  status_message: z.string().optional(),
  status_code: z.number().int(),
  status_revision: z.number().int(),
  start_time: Timestamp.optional(),
  end_time: Timestamp.optional(),
  total: z.number().int(),
  retained: z.number().int(),
}).meta({ id: 'RetentionExecutionTask' });
export type RetentionExecutionTask = z.infer<typeof RetentionExecutionTask>;
