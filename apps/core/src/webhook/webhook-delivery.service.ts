import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import type { ListQuery, Page, WebhookDelivery, WebhookReplayReq } from '@haven/api';
import { Database } from '@haven/database';
import { Executions, lockSubjects, notificationId, restartDeliveries } from '@haven/execution';
import { recordAudit, recordNoChange } from '../audit/record-audit.js';
import { mapPage, wantedIn } from '../listing/select-page.js';
import { projectIdOf, type PolicyOwner } from './policy-owner.js';
import { lockDead, WebhookDeliveryStore, type DeliveryRow } from './webhook-delivery.store.js';
import { WebhookService } from './webhook.service.js';

/** What one transaction delivers again at most. */
const REPLAYED_AT_ONCE = 1000;

/** What became of notifications: the job service sends them, this shows them and has dead ones sent again. */
@Injectable()
export class WebhookDeliveryService {
  constructor(
    private readonly policies: WebhookService,
    private readonly store: WebhookDeliveryStore,
    private readonly executions: Executions,
    private readonly database: Database,
  ) {}

  async list(owner: PolicyOwner, policyId: number, query: ListQuery): Promise<Page<WebhookDelivery>> {
    await this.policies.find(owner, policyId);
    return mapPage(await this.store.list(policyId, wantedIn(query)), deliveryOf);
  }

  async dead(owner: PolicyOwner, policyId: number, query: ListQuery): Promise<Page<WebhookDelivery>> {
    await this.policies.find(owner, policyId);
    return mapPage(await this.store.list(policyId, wantedIn(query), 'dead'), deliveryOf);
  }

  /** Of every policy, those of projects too. */
  async listAll(query: ListQuery): Promise<Page<WebhookDelivery>> {
    return mapPage(await this.store.list(undefined, wantedIn(query)), deliveryOf);
  }

  /** Resolves to how many are delivered again. */
  async replay(caller: Caller, owner: PolicyOwner, policyId: number, { ids }: WebhookReplayReq): Promise<number> {
    const { name } = await this.policies.find(owner, policyId);
    let replayed = 0;
    for (let count = REPLAYED_AT_ONCE; count === REPLAYED_AT_ONCE; replayed += count) count = await this.#replaySome(caller, owner, { id: policyId, name }, ids);
    if (replayed === 0) recordNoChange();
    return replayed;
  }

  async #replaySome(caller: Caller, owner: PolicyOwner, { id, name }: { readonly id: number; readonly name: string }, ids: readonly number[] | undefined): Promise<number> {
    const { count, started } = await this.database.transaction(async (transaction) => {
      const dead = await lockDead(transaction, id, ids, REPLAYED_AT_ONCE);
      if (dead.length === 0) return { count: 0, started: [] };
      await lockSubjects(transaction, dead.map(({ subject }) => subject));
      const projectId = projectIdOf(owner);
      await recordAudit(transaction, caller, {
        operation: 'replay', resourceType: 'webhook_policy', resource: name, description: `replay ${dead.length} dead letters of webhook policy: ${name}`, ...(projectId === undefined ? {} : { project: projectId }),
      });
      return { count: dead.length, started: await restartDeliveries(transaction, this.executions, dead) };
    });
    await this.executions.wakeAll(started);
    return count;
  }
}

function deliveryOf(row: DeliveryRow): WebhookDelivery {
  return {
    id: Number(row.id), policy_id: row.policy_id, policy_name: row.policy_name, ...(row.project_id === null ? {} : { project_id: row.project_id }),
    event_id: row.event_id, notification_id: notificationId(row.event_id, row.part), event_type: row.event_type, subject: row.subject,
    address: row.address === null ? '' : new URL(row.address).origin, state: row.state, ...(row.fault === '' ? {} : { fault: row.fault }), attempts: row.attempts,
    ...(row.next_at === null ? {} : { next_attempt_time: row.next_at.toISOString() }), execution_id: Number(row.execution_id), task_id: Number(row.task_id),
    creation_time: row.created_at.toISOString(), ...(row.ended_at === null ? {} : { end_time: row.ended_at.toISOString() }),
  };
}
