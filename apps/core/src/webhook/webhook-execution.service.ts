import { Injectable } from '@nestjs/common';
import { Problem, type ListQuery, type Page, type WebhookExecution, type WebhookJob, type WebhookJobQuery, type WebhookTask } from '@haven/api';
import { Executions, type ExecutionOwner, type TaskCounts } from '@haven/execution';
import { PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';
import { mapPage, wantedIn } from '../listing/select-page.js';
import type { PolicyOwner } from './policy-owner.js';
import { WebhookExecutionStore, type WebhookExecutionRow, type WebhookTaskRow } from './webhook-execution.store.js';
import { WebhookService } from './webhook.service.js';

const NO_EXECUTION = 'the webhook policy has no such execution';

/** What became of notifications, as their executions tell. */
@Injectable()
export class WebhookExecutionService {
  constructor(
    private readonly policies: WebhookService,
    private readonly store: WebhookExecutionStore,
    private readonly executions: Executions,
  ) {}

  async list(owner: PolicyOwner, policyId: number, query: ListQuery): Promise<Page<WebhookExecution>> {
    await this.policies.find(owner, policyId);
    const rows = await this.store.list(policyId, [], wantedIn(query));
    const counts = await this.executions.counts(rows.items.map(({ id }) => Number(id)));
    return mapPage(rows, (row) => executionOf(row, policyId, counts.get(Number(row.id))));
  }

  async tasks(owner: PolicyOwner, policyId: number, id: number, query: ListQuery): Promise<Page<WebhookTask>> {
    await this.#owner(owner, policyId, id);
    return mapPage(await this.store.tasks(id, wantedIn(query)), taskOf);
  }

  async log(owner: PolicyOwner, policyId: number, id: number, taskId: number): Promise<TextAnswer> {
    const text = await this.executions.log(await this.#owner(owner, policyId, id), id, taskId);
    if (text === undefined) throw new Problem('NOT_FOUND', 'the execution has no such task');
    return { type: PLAIN_TEXT, text };
  }

  async jobs(owner: PolicyOwner, { policy_id: policyId, status, ...query }: WebhookJobQuery): Promise<Page<WebhookJob>> {
    await this.policies.find(owner, policyId);
    const statuses = status === undefined ? [] : [status].flat();
    return mapPage(await this.store.list(policyId, statuses, wantedIn(query)), (row) => jobOf(row, policyId));
  }

  async #owner(owner: PolicyOwner, policyId: number, id: number): Promise<ExecutionOwner> {
    await this.policies.find(owner, policyId);
    const vendorType = await this.store.vendorOf(policyId, id);
    if (vendorType === undefined) throw new Problem('NOT_FOUND', NO_EXECUTION);
    return { vendorType, vendorId: policyId };
  }
}

function executionOf(row: WebhookExecutionRow, policyId: number, counts: TaskCounts | undefined): WebhookExecution {
  const metrics = Object.entries(counts ?? {}).filter(([, count]) => count > 0);
  return {
    id: Number(row.id), vendor_type: row.vendor_type, vendor_id: policyId, status: row.status, ...(row.status_message === '' ? {} : { status_message: row.status_message }),
    trigger: row.trigger, extra_attrs: { ...row.extra_attrs }, start_time: row.started_at.toISOString(), ...(row.ended_at === null ? {} : { end_time: row.ended_at.toISOString() }),
    metrics: { task_count: metrics.reduce((sum, [, count]) => sum + count, 0), ...Object.fromEntries(metrics.map(([status, count]) => [`${status.toLowerCase()}_task_count`, count])) },
  };
}

function taskOf(row: WebhookTaskRow): WebhookTask {
  return {
    id: Number(row.id), execution_id: Number(row.execution_id), status: row.status, ...(row.status_message === '' ? {} : { status_message: row.status_message }), run_count: row.attempts,
    extra_attrs: { ...row.extra_attrs }, creation_time: row.created_at.toISOString(), update_time: row.updated_at.toISOString(),
    ...(row.started_at === null ? {} : { start_time: row.started_at.toISOString() }), ...(row.ended_at === null ? {} : { end_time: row.ended_at.toISOString() }),
  };
}

function jobOf({ id, vendor_type: vendor, status, extra_attrs: attributes, started_at: startedAt, updated_at: updatedAt }: WebhookExecutionRow, policyId: number): WebhookJob {
  const { event_type: type, payload } = attributes;
  return {
    id: Number(id), policy_id: policyId, event_type: String(type), notify_type: vendor === 'SLACK' ? 'slack' : 'http', status, job_detail: String(payload),
    creation_time: startedAt.toISOString(), update_time: updatedAt.toISOString(),
  };
}
