import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem, type Page, type PageQuery, type RetentionExecution, type RetentionExecutionAction, type RetentionExecutionTask } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Executions, planRetention, STATUS_CODES, type Execution, type StartedExecution, type Task } from '@haven/execution';
import { recordAudit } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';
import { mapPage } from '../listing/select-page.js';
import { NO_POLICY, RetentionAccessService } from './retention-access.service.js';
import { ownerOf } from './retention.service.js';
import { countRuns, lockProjectPolicy } from './retention.store.js';

const NO_EXECUTION = 'the retention policy has no such execution';
const NO_TASK = 'the execution has no such task';
/** Runs of one policy that wait or are under way; further ones would only decide the same again. */
const MOST_RUNS = 10;

/** Runs of retention policies: the job service does them, this starts, stops and shows them. */
@Injectable()
export class RetentionExecutionService {
  constructor(
    private readonly access: RetentionAccessService,
    private readonly executions: Executions,
    private readonly database: Database,
  ) {}

  /**
   * Resolves to the new execution's id.
   *
   * @throws Problem TOO_MANY_REQUEST while enough runs of the policy have not ended
   */
  async start(caller: Caller, policyId: number, dryRun: boolean): Promise<number> {
    const { project } = await this.access.admit(policyId, caller, 'update');
    const started = await this.database.transaction(async (transaction): Promise<StartedExecution> => {
      if (!(await lockProjectPolicy(transaction, project.id))) throw new Problem('NOT_FOUND', NO_POLICY);
      if ((await countRuns(transaction, policyId)) >= MOST_RUNS) throw new Problem('TOO_MANY_REQUEST', `${MOST_RUNS} runs of this policy have not ended yet; wait for them, or stop some`);
      const planned = await planRetention(transaction, { policyId, trigger: 'MANUAL', startedBy: subjectId(caller.subject), dryRun });
      if (planned === undefined) throw new Problem('NOT_FOUND', NO_POLICY);
      await audit(transaction, project, caller, 'start', `start ${dryRun ? 'a dry run' : 'a run'} of retention policy ${policyId} of project ${project.name}`);
      return this.executions.startIn(transaction, planned);
    });
    await this.executions.wake(started);
    return started.id;
  }

  async act(caller: Caller, policyId: number, id: number, { action }: RetentionExecutionAction): Promise<void> {
    const { project } = await this.access.admit(policyId, caller, 'update');
    if (action !== 'stop') throw new Problem('BAD_REQUEST', 'action must be "stop"');
    await this.database.transaction(async (transaction) => {
      if (!(await this.executions.stopIn(transaction, ownerOf(policyId), id))) throw new Problem('NOT_FOUND', NO_EXECUTION);
      await audit(transaction, project, caller, 'stop', `stop execution ${id} of retention policy ${policyId} of project ${project.name}`);
    });
    this.executions.announceStop(id);
  }

  async list(caller: Caller, policyId: number, { page, page_size: size }: PageQuery): Promise<Page<RetentionExecution>> {
    await this.access.admit(policyId, caller, 'list');
    return mapPage(await this.executions.list(ownerOf(policyId), { page, size }), executionOf);
  }

  async tasks(caller: Caller, policyId: number, id: number, { page, page_size: size }: PageQuery): Promise<Page<RetentionExecutionTask>> {
    await this.access.admit(policyId, caller, 'list');
    const tasks = await this.executions.tasks(ownerOf(policyId), id, { page, size });
    if (tasks === undefined) throw new Problem('NOT_FOUND', NO_EXECUTION);
    return mapPage(tasks, taskOf);
  }

  async log(caller: Caller, policyId: number, id: number, taskId: number): Promise<TextAnswer> {
    await this.access.admit(policyId, caller, 'read');
    const text = await this.executions.log(ownerOf(policyId), id, taskId);
    if (text === undefined) throw new Problem('NOT_FOUND', NO_TASK);
    return { type: PLAIN_TEXT, text };
  }
}

async function audit(transaction: Transaction, project: KnownProject, caller: Caller, operation: 'start' | 'stop', description: string): Promise<void> {
  await recordAudit(transaction, caller, { operation, resourceType: 'retention_policy', resource: project.name, description, project: project.id });
}

function executionOf({ id, vendorId, startedAt, endedAt, status, statusMessage, trigger, attributes }: Execution): RetentionExecution {
  return {
    id, policy_id: vendorId, start_time: startedAt.toISOString(), ...(endedAt === undefined ? {} : { end_time: endedAt.toISOString() }), status,
    ...(statusMessage === '' ? {} : { status_message: statusMessage }), trigger, dry_run: attributes['dry_run'] === true,
  };
}

function taskOf({ id, executionId, jobId, status, statusMessage, statusRevision, startedAt, endedAt, attributes }: Task): RetentionExecutionTask {
  const { repository, total, retained } = attributes;
  return {
    id, execution_id: executionId, repository: String(repository), job_id: jobId, status, status_code: STATUS_CODES[status], status_revision: statusRevision,
    ...(statusMessage === '' ? {} : { status_message: statusMessage }),
    ...(startedAt === undefined ? {} : { start_time: startedAt.toISOString() }), ...(endedAt === undefined ? {} : { end_time: endedAt.toISOString() }),
    total: typeof total === 'number' ? total : 0, retained: typeof retained === 'number' ? retained : 0,
  };
}
