import { Injectable } from '@nestjs/common';
import { can, openSecret, sealSecret, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type ListQuery, type Page, type WebhookLastTrigger, type WebhookPolicy, type WebhookPolicyReq } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Executions, webhookSecretContext, type StoredTarget } from '@haven/execution';
import { recordAudit } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { mapPage } from '../listing/select-page.js';
import { CoreOptions } from '../platform/core-options.js';
import { MASK, readPolicy, type PolicyText, type Target } from './webhook-rules.js';
import { deletePolicy, insertPolicy, nextPolicyId, updatePolicy, WebhookStore, type PolicyRow, type PolicyToStore } from './webhook.store.js';

const NO_POLICY = 'the project has no such webhook policy';

/** Whom projects tell of what. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly store: WebhookStore,
    private readonly database: Database,
    private readonly executions: Executions,
    private readonly options: CoreOptions,
  ) {}

  async list(caller: Caller, project: KnownProject, { q, sort, page, page_size: size }: ListQuery): Promise<Page<WebhookPolicy>> {
    const rows = await this.store.list({ projectId: project.id, terms: parseQuery(q), sort: parseSort(sort), page, size });
    return mapPage(rows, (row) => this.#shown(caller, project, row));
  }

  async get(caller: Caller, project: KnownProject, id: number): Promise<WebhookPolicy> {
    return this.#shown(caller, project, await this.find(project, id));
  }

  /** The policy, when it is one of the project's. */
  async find(project: KnownProject, id: number): Promise<PolicyRow> {
    const row = await this.store.find(project.id, id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_POLICY);
    return row;
  }

  /** Resolves to the new policy's id. */
  async create(caller: Caller, project: KnownProject, request: WebhookPolicyReq): Promise<number> {
    const policy = readPolicy(request);
    const creator = caller.subject.kind === 'anonymous' ? '' : caller.subject.name;
    return this.database.transaction(async (transaction) => {
      const id = await nextPolicyId(transaction);
      if (!(await insertPolicy(transaction, id, project.id, creator, this.#sealed(id, policy)))) throw taken(policy.name);
      await audit(transaction, caller, project, 'create', policy.name);
      return id;
    });
  }

  async update(caller: Caller, project: KnownProject, id: number, request: WebhookPolicyReq): Promise<void> {
    const row = await this.find(project, id);
    const policy = readPolicy(request, row.targets.map((target) => this.#opened(id, target)));
    await this.database.transaction(async (transaction) => {
      const outcome = await updatePolicy(transaction, id, this.#sealed(id, policy));
      if (outcome === 'gone') throw new Problem('NOT_FOUND', NO_POLICY);
      if (outcome === 'taken') throw taken(policy.name);
      await audit(transaction, caller, project, 'update', policy.name);
    });
  }

  /** Deletes the policy with its history and with what it has not told yet. */
  async delete(caller: Caller, project: KnownProject, id: number): Promise<void> {
    const { name } = await this.find(project, id);
    await this.database.transaction(async (transaction) => {
      if (!(await deletePolicy(transaction, id))) throw new Problem('NOT_FOUND', NO_POLICY);
      for (const vendorType of ['WEBHOOK', 'SLACK'] as const) await this.executions.forgetIn(transaction, { vendorType, vendorId: id });
      await audit(transaction, caller, project, 'delete', name);
    });
  }

  async lastTriggers(project: KnownProject): Promise<WebhookLastTrigger[]> {
    return (await this.store.lastTriggers(project.id)).map(({ name, type, enabled, createdAt, at }) => (
      { policy_name: name, event_type: type, enabled, creation_time: createdAt.toISOString(), ...(at === undefined ? {} : { last_trigger_time: at.toISOString() }) }
    ));
  }

  /** Header values are for those who could set them anyway. */
  #shown(caller: Caller, project: KnownProject, row: PolicyRow): WebhookPolicy {
    const mayUpdate = can(caller, 'update', 'notification-policy', project);
    return {
      id: row.id, name: row.name, description: row.description, project_id: row.projectId, event_types: [...row.eventTypes], enabled: row.enabled, creator: row.creator,
      creation_time: row.createdAt.toISOString(), update_time: row.updatedAt.toISOString(),
      targets: row.targets.map((target) => ({
        type: target.type, address: mayUpdate ? target.address : new URL(target.address).origin, skip_cert_verify: target.skip_cert_verify, payload_format: target.payload_format,
        ...(target.auth_header === undefined ? {} : { auth_header: mayUpdate ? this.#open(row.id, target.auth_header) : MASK }), ...(target.secret === undefined ? {} : { secret: MASK }),
      })),
    };
  }

  #sealed(id: number, { name, description, targets, eventTypes, enabled }: PolicyText): PolicyToStore {
    const seal = (text: string): string => sealSecret(this.options.secretKey, text, webhookSecretContext(id));
    const stored = targets.map(({ type, address, skipCertVerify, payloadFormat, authHeader, secret }): StoredTarget => ({
      type, address, skip_cert_verify: skipCertVerify, payload_format: payloadFormat,
      ...(authHeader === '' ? {} : { auth_header: seal(authHeader) }), ...(secret === '' ? {} : { secret: seal(secret) }),
    }));
    return { name, description, targets: stored, eventTypes, enabled };
  }

  #opened(id: number, { type, address, skip_cert_verify: skipCertVerify, payload_format: payloadFormat, auth_header: authHeader, secret }: StoredTarget): Target {
    return { type, address, skipCertVerify, payloadFormat, authHeader: this.#open(id, authHeader), secret: this.#open(id, secret) };
  }

  #open(id: number, sealed: string | undefined): string {
    return sealed === undefined ? '' : openSecret(this.options.secretKey, sealed, webhookSecretContext(id));
  }
}

async function audit(transaction: Transaction, caller: Caller, project: KnownProject, operation: 'create' | 'update' | 'delete', name: string): Promise<void> {
  await recordAudit(transaction, caller, { operation, resourceType: 'webhook_policy', resource: name, description: `${operation} webhook policy: ${name}`, project: project.id });
}

function taken(name: string): Problem {
  return new Problem('CONFLICT', `the project has a webhook policy called ${name} already; choose another name`);
}
