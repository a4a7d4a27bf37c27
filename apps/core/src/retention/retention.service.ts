import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type RetentionPolicy } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Executions, Schedules, type StoredRetention } from '@haven/execution';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { NO_POLICY, RetentionAccessService, type AdmittedRetention } from './retention-access.service.js';
import { readPolicy, rulesOf, scopeOf } from './retention-rules.js';
import { deletePolicy, insertPolicy, lockProjectPolicy, notePolicy, updatePolicy } from './retention.store.js';

/** Which artifacts of a project stay: one policy for each project, with a schedule if it has one. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly access: RetentionAccessService,
    private readonly database: Database,
    private readonly executions: Executions,
    private readonly schedules: Schedules,
    private readonly broadcasts: Broadcasts,
  ) {}

  async get(caller: Caller, id: number): Promise<RetentionPolicy> {
    const { row } = await this.access.admit(id, caller, 'read');
    const { algorithm, trigger } = row.policy;
    return { id, algorithm, rules: rulesOf(row.policy), trigger: { ...trigger, references: {} }, scope: { level: 'project', ref: row.projectId } };
  }

  /** Resolves to the new policy's id. */
  async create(caller: Caller, request: RetentionPolicy): Promise<number> {
    const project = await this.access.admitProject(scopeOf(request), caller, 'create');
    const policy = readPolicy(request);
    return this.#change(project, async (transaction) => {
      const id = await insertPolicy(transaction, project.id, policy);
      if (id === undefined) throw new Problem('BAD_REQUEST', `the project ${project.name} has a retention policy already; change that one`);
      await notePolicy(transaction, project.id, id);
      await this.#setSchedule(transaction, id, policy);
      await audit(transaction, project, caller, 'create', id);
      return id;
    });
  }

  async update(caller: Caller, id: number, request: RetentionPolicy): Promise<void> {
    const { project } = await this.access.admit(id, caller, 'update');
    if (scopeOf(request) !== project.id) throw new Problem('BAD_REQUEST', `a policy stays with its project: scope.ref must be ${project.id}`);
    const policy = readPolicy(request);
    await this.#change(project, async (transaction) => {
      if (!(await updatePolicy(transaction, id, policy))) throw new Problem('NOT_FOUND', NO_POLICY);
      await notePolicy(transaction, project.id, id);
      await this.#setSchedule(transaction, id, policy);
      await audit(transaction, project, caller, 'update', id);
    });
  }

  /** Deletes the policy with its schedule and its history; what runs just now ends. */
  async delete(caller: Caller, id: number): Promise<void> {
    const { project }: AdmittedRetention = await this.access.admit(id, caller, 'delete');
    await this.#change(project, async (transaction) => {
      if (!(await deletePolicy(transaction, id))) throw new Problem('NOT_FOUND', NO_POLICY);
      await notePolicy(transaction, project.id, undefined);
      await this.schedules.removeIn(transaction, ownerOf(id));
      await this.executions.forgetIn(transaction, ownerOf(id));
      await audit(transaction, project, caller, 'delete', id);
    });
  }

  async #setSchedule(transaction: Transaction, id: number, { trigger }: StoredRetention): Promise<void> {
    const { cron } = trigger.settings;
    if (cron === '') await this.schedules.removeIn(transaction, ownerOf(id));
    else await this.schedules.setIn(transaction, { ...ownerOf(id), cronType: 'Custom', cron, parameters: { dry_run: false } });
  }

  async #change<Result>(project: KnownProject, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const result = await this.database.transaction(async (transaction) => {
      if (!(await lockProjectPolicy(transaction, project.id))) throw new Problem('NOT_FOUND', 'there is no such project');
      return work(transaction);
    });
    this.broadcasts.publish('project-changed', { project: project.name });
    return result;
  }
}

/** Whose executions and schedule those of a policy are. */
export function ownerOf(id: number): { readonly vendorType: 'RETENTION'; readonly vendorId: number } {
  return { vendorType: 'RETENTION', vendorId: id };
}

async function audit(transaction: Transaction, project: KnownProject, caller: Caller, operation: 'create' | 'update' | 'delete', id: number): Promise<void> {
  const description = `${operation} retention policy ${id} of project ${project.name}`;
  await recordAudit(transaction, caller, { operation, resourceType: 'retention_policy', resource: project.name, description, project: project.id });
}
