import { Injectable } from '@nestjs/common';
import { can, openSecret, sealSecret, type Caller } from '@haven/access';
import { Problem, type ListQuery, type Page, type SystemWebhookPolicy, type SystemWebhookPolicyReq, type WebhookLastTrigger, type WebhookPolicy, type WebhookPolicyReq } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Executions, releaseTargets, webhookSecretContext, type StoredTarget } from '@haven/execution';
import { recordAudit } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { mapPage, wantedIn } from '../listing/select-page.js';
import { CoreOptions } from '../platform/core-options.js';
import { projectIdOf, type PolicyOwner } from './policy-owner.js';
import { MASK, readPolicy, readSystemPolicy, type PolicyText, type Target } from './webhook-rules.js';
import { countPolicies, deletePolicy, insertPolicy, nextPolicyId, updatePolicy, WebhookStore, type PolicyRow, type PolicyToStore } from './webhook.store.js';

const NO_POLICY = 'there is no such webhook policy';
/** Each push is told to every target of every policy. */
const MOST_POLICIES = 100;

/** Whom projects, and the whole installation, tell of what. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly store: WebhookStore,
    private readonly database: Database,
    private readonly executions: Executions,
    private readonly options: CoreOptions,
  ) {}

  async list(caller: Caller, project: KnownProject, query: ListQuery): Promise<Page<WebhookPolicy>> {
    const rows = await this.store.list({ projectId: project.id, ...wantedIn(query) });
    return mapPage(rows, (row) => this.#shown(caller, project, row));
  }

  async listOfSystem(query: ListQuery): Promise<Page<SystemWebhookPolicy>> {
    return mapPage(await this.store.list({ projectId: undefined, ...wantedIn(query) }), (row) => this.#shownOfSystem(row));
  }

  async get(caller: Caller, project: KnownProject, id: number): Promise<WebhookPolicy> {
    return this.#shown(caller, project, await this.find(project, id));
  }

  async getOfSystem(id: number): Promise<SystemWebhookPolicy> {
    return this.#shownOfSystem(await this.find('system', id));
  }

  /** The policy, when it is one of the owner's. */
  async find(owner: PolicyOwner, id: number): Promise<PolicyRow> {
    const row = await this.store.find(projectIdOf(owner), id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_POLICY);
    return row;
  }

  /** Resolves to the new policy's id. */
  create(caller: Caller, project: KnownProject, request: WebhookPolicyReq): Promise<number> {
    return this.#create(caller, project, readPolicy(request));
  }

  createOfSystem(caller: Caller, request: SystemWebhookPolicyReq): Promise<number> {
    return this.#create(caller, 'system', readSystemPolicy(request));
  }

  update(caller: Caller, project: KnownProject, id: number, request: WebhookPolicyReq): Promise<void> {
    return this.#update(caller, project, id, (current) => readPolicy(request, current));
  }

  updateOfSystem(caller: Caller, id: number, request: SystemWebhookPolicyReq): Promise<void> {
    return this.#update(caller, 'system', id, (current) => readSystemPolicy(request, current));
  }

  /** Deletes the policy with its history and with what it has not told yet. */
  async delete(caller: Caller, owner: PolicyOwner, id: number): Promise<void> {
    const { name } = await this.find(owner, id);
    await this.database.transaction(async (transaction) => {
      if (!(await deletePolicy(transaction, id))) throw new Problem('NOT_FOUND', NO_POLICY);
      for (const vendorType of ['WEBHOOK', 'SLACK'] as const) await this.executions.forgetIn(transaction, { vendorType, vendorId: id });
      await audit(transaction, caller, owner, 'delete', name);
    });
  }

  async lastTriggers(project: KnownProject): Promise<WebhookLastTrigger[]> {
    return (await this.store.lastTriggers(project.id)).map(({ name, type, enabled, createdAt, at }) => (
      { policy_name: name, event_type: type, enabled, creation_time: createdAt.toISOString(), ...(at === undefined ? {} : { last_trigger_time: at.toISOString() }) }
    ));
  }

  async #create(caller: Caller, owner: PolicyOwner, policy: PolicyText): Promise<number> {
    const creator = caller.subject.kind === 'anonymous' ? '' : caller.subject.name;
    return this.database.transaction(async (transaction) => {
      if ((await countPolicies(transaction, projectIdOf(owner))) >= MOST_POLICIES) throw new Problem('BAD_REQUEST', `there can be at most ${MOST_POLICIES} webhook policies here; delete one first`);
      const id = await nextPolicyId(transaction);
      if (!(await insertPolicy(transaction, id, projectIdOf(owner), creator, this.#sealed(id, policy)))) throw taken(owner, policy.name);
      await audit(transaction, caller, owner, 'create', policy.name);
      return id;
    });
  }

  async #update(caller: Caller, owner: PolicyOwner, id: number, read: (current: readonly Target[]) => PolicyText): Promise<void> {
    const row = await this.find(owner, id);
    const policy = read(row.targets.map((target) => this.#opened(id, target)));
    const due = await this.database.transaction(async (transaction) => {
      const outcome = await updatePolicy(transaction, id, this.#sealed(id, policy));
      if (outcome === 'gone') throw new Problem('NOT_FOUND', NO_POLICY);
      if (outcome === 'taken') throw taken(owner, policy.name);
      await audit(transaction, caller, owner, 'update', policy.name);
      return releaseTargets(transaction, id);
    });
    await this.executions.wakeAll(due);
  }

  #shown(caller: Caller, project: KnownProject, row: PolicyRow): WebhookPolicy {
    return { ...this.#parts(row, can(caller, 'update', 'notification-policy', project)), project_id: project.id };
  }

  #shownOfSystem(row: PolicyRow): SystemWebhookPolicy {
    return { ...this.#parts(row, true), projects: [...row.projects] };
  }

  /** Header values are for those who could set them anyway. */
  #parts(row: PolicyRow, mayUpdate: boolean): Omit<WebhookPolicy, 'project_id'> {
    return {
      id: row.id, name: row.name, description: row.description, event_types: [...row.eventTypes], enabled: row.enabled, creator: row.creator,
      creation_time: row.createdAt.toISOString(), update_time: row.updatedAt.toISOString(),
      targets: row.targets.map((target) => ({
        type: target.type, address: mayUpdate ? target.address : new URL(target.address).origin, skip_cert_verify: target.skip_cert_verify, payload_format: target.payload_format,
        ...(target.auth_header === undefined ? {} : { auth_header: mayUpdate ? this.#open(row.id, target.auth_header) : MASK }), ...(target.secret === undefined ? {} : { secret: MASK }),
      })),
    };
  }

  #sealed(id: number, { name, description, projects, targets, eventTypes, enabled }: PolicyText): PolicyToStore {
    const seal = (text: string): string => sealSecret(this.options.secretKey, text, webhookSecretContext(id));
    const stored = targets.map(({ type, address, skipCertVerify, payloadFormat, authHeader, secret }): StoredTarget => ({
      type, address, skip_cert_verify: skipCertVerify, payload_format: payloadFormat,
      ...(authHeader === '' ? {} : { auth_header: seal(authHeader) }), ...(secret === '' ? {} : { secret: seal(secret) }),
    }));
    return { name, description, projects, targets: stored, eventTypes, enabled };
  }

  #opened(id: number, { type, address, skip_cert_verify: skipCertVerify, payload_format: payloadFormat, auth_header: authHeader, secret }: StoredTarget): Target {
    return { type, address, skipCertVerify, payloadFormat, authHeader: this.#open(id, authHeader), secret: this.#open(id, secret) };
  }

  #open(id: number, sealed: string | undefined): string {
    return sealed === undefined ? '' : openSecret(this.options.secretKey, sealed, webhookSecretContext(id));
  }
}

async function audit(transaction: Transaction, caller: Caller, owner: PolicyOwner, operation: 'create' | 'update' | 'delete', name: string): Promise<void> {
  const project = projectIdOf(owner);
  await recordAudit(transaction, caller, { operation, resourceType: 'webhook_policy', resource: name, description: `${operation} webhook policy: ${name}`, ...(project === undefined ? {} : { project }) });
}

function taken(owner: PolicyOwner, name: string): Problem {
  return new Problem('CONFLICT', `the ${owner === 'system' ? 'installation' : 'project'} has a webhook policy called ${name} already; choose another name`);
}
