import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type ListQuery, type Page, type PageQuery, type WebhookDeadLetter, type WebhookExecution, type WebhookJob, type WebhookJobQuery, type WebhookReplayReq, type WebhookTask } from '@haven/api';
import { Database } from '@haven/database';
import { Executions, lockSubject, startDelivery, type ExecutionOwner, type StartedExecution, type TaskCounts } from '@haven/execution';
import { recordAudit, recordNoChange } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';
import { mapPage, type ListWanted } from '../listing/select-page.js';
import { lockDead, WebhookExecutionStore, type DeadRow, type WebhookExecutionRow, type WebhookTaskRow } from './webhook-execution.store.js';
import { WebhookService } from './webhook.service.js';

const NO_EXECUTION = 'the webhook policy has no such execution';
const REPLAYED_AT_ONCE = 1000;

/** What became of notifications: the job service sends them, this shows them and has dead ones sent again. */
@Injectable()
export class WebhookExecutionService {
  constructor(
    private readonly policies: WebhookService,
    private readonly store: WebhookExecutionStore,
    private readonly executions: Executions,
    private readonly database: Database,
  ) {}

  async list(project: KnownProject, policyId: number, query: ListQuery): Promise<Page<WebhookExecution>> {
    await this.policies.find(project, policyId);
    const rows = await this.store.list(policyId, [], wantedIn(query));
    const counts = await this.executions.counts(rows.items.map(({ id }) => Number(id)));
    return mapPage(rows, (row) => executionOf(row, policyId, counts.get(Number(row.id))));
  }

  async tasks(project: KnownProject, policyId: number, id: number, query: ListQuery): Promise<Page<WebhookTask>> {
    await this.#owner(project, policyId, id);
    return mapPage(await this.store.tasks(id, wantedIn(query)), taskOf);
  }

  async log(project: KnownProject, policyId: number, id: number, taskId: number): Promise<TextAnswer> {
    const text = await this.executions.log(await this.#owner(project, policyId, id), id, taskId);
    if (text === undefined) throw new Problem('NOT_FOUND', 'the execution has no such task');
    return { type: PLAIN_TEXT, text };
  }

  async jobs(project: KnownProject, { policy_id: policyId, status, ...query }: WebhookJobQuery): Promise<Page<WebhookJob>> {
    await this.policies.find(project, policyId);
    const statuses = status === undefined ? [] : [status].flat();
    return mapPage(await this.store.list(policyId, statuses, wantedIn(query)), (row) => jobOf(row, policyId));
  }

  async dead(project: KnownProject, policyId: number, { page, page_size: size }: PageQuery): Promise<Page<WebhookDeadLetter>> {
    await this.policies.find(project, policyId);
    return mapPage(await this.store.dead(policyId, page, size), deadOf);
  }

  /** Resolves to how many are delivered again. */
  async replay(caller: Caller, project: KnownProject, policyId: number, { ids }: WebhookReplayReq): Promise<number> {
    const { name } = await this.policies.find(project, policyId);
    const { replayed, due } = await this.database.transaction(async (transaction) => {
      const dead = (await lockDead(transaction, policyId, ids, REPLAYED_AT_ONCE)).filter(({ stored }) => stored !== undefined);
      const started: StartedExecution[] = [];
      // One order of locking for all, so that two of them never wait for each other.
      for (const subject of [...new Set(dead.map((one) => one.subject))].sort()) await lockSubject(transaction, subject);
      for (const { id, stored, ...delivery } of dead) {
        if (stored === undefined) continue;
        const one = await startDelivery(transaction, this.executions, { ...delivery, policyId, targetType: stored.type }, id);
        if (one !== undefined) started.push(one);
      }
      if (dead.length === 0) recordNoChange();
      else await recordAudit(transaction, caller, { operation: 'replay', resourceType: 'webhook_policy', resource: name, description: `replay ${dead.length} dead letters of webhook policy: ${name}`, project: project.id });
      return { replayed: dead.length, due: started };
    });
    for (const one of due) await this.executions.wake(one);
    return replayed;
  }

  async #owner(project: KnownProject, policyId: number, id: number): Promise<ExecutionOwner> {
    await this.policies.find(project, policyId);
    const vendorType = await this.store.vendorOf(policyId, id);
    if (vendorType === undefined) throw new Problem('NOT_FOUND', NO_EXECUTION);
    return { vendorType, vendorId: policyId };
  }
}

function wantedIn({ q, sort, page, page_size: size }: ListQuery): ListWanted {
  return { terms: parseQuery(q), sort: parseSort(sort), page, size };
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

function deadOf({ id, event_id, event_type, address, fault, created_at: createdAt, ended_at: endedAt }: DeadRow): WebhookDeadLetter {
  return { id: Number(id), event_id, event_type, address: address === null ? '' : new URL(address).origin, fault, creation_time: createdAt.toISOString(), end_time: endedAt.toISOString() };
}
