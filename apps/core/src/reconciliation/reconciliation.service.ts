import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import {
  Problem, type Page, type PageQuery, type Reconciliation, type ReconciliationFinding, type ReconciliationFindingQuery, type ReconciliationReq, type ReconciliationSchedule,
  type ReconciliationScheduleReq,
} from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Executions, planReconciliation, RECONCILIATION, Schedules, type Attributes, type Execution, type ReconciliationProgress, type ReconciliationRun, type TaskReport } from '@haven/execution';
import { cronFault, nextTimes } from '@haven/policy';
import { recordAudit } from '../audit/record-audit.js';
import { PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';
import { FindingStore } from './finding.store.js';

const RESOURCE = 'storage_reconciliation';
const NO_RUN = 'there is no such comparison of storage with the catalog';
const NO_SCHEDULE = 'comparisons of storage with the catalog are not scheduled';
const GRACE_SECONDS = 2 * 60 * 60;
const TIMES_SHOWN = 5;

/** Comparisons of storage with the catalog: the job service does them, this starts, stops, schedules and shows them. */
@Injectable()
export class ReconciliationService {
  constructor(
    private readonly database: Database,
    private readonly executions: Executions,
    private readonly schedules: Schedules,
    private readonly findings: FindingStore,
  ) {}

  /** Resolves to the new comparison's id; it waits while another one runs. */
  async start(caller: Caller, request: ReconciliationReq): Promise<number> {
    const run = runOf(request);
    const started = await this.database.transaction(async (transaction) => {
      const execution = await this.executions.startIn(transaction, planReconciliation({ trigger: 'MANUAL', startedBy: subjectId(caller.subject), run }));
      await audit(transaction, caller, 'start', String(execution.id), `start comparison of storage with the catalog ${execution.id}: ${JSON.stringify(run)}`);
      return execution;
    });
    await this.executions.wake(started);
    return started.id;
  }

  async stop(caller: Caller, id: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if (!(await this.executions.stopIn(transaction, RECONCILIATION, id))) throw new Problem('NOT_FOUND', NO_RUN);
      await audit(transaction, caller, 'stop', String(id), `stop comparison of storage with the catalog ${id}`);
    });
    this.executions.announceStop(id);
  }

  async list({ page, page_size: size }: PageQuery): Promise<Page<Reconciliation>> {
    const { items, total } = await this.executions.list(RECONCILIATION, { page, size });
    const reports = await this.executions.reports(items.map(({ id }) => id));
    return { items: items.map((execution) => reconciliationOf(execution, reports.get(execution.id))), total };
  }

  async get(id: number): Promise<Reconciliation> {
    const execution = await this.#find(id);
    return reconciliationOf(execution, (await this.executions.reports([id])).get(id));
  }

  async listFindings(id: number, query: ReconciliationFindingQuery): Promise<Page<ReconciliationFinding>> {
    await this.#find(id);
    return this.findings.list(id, query);
  }

  async log(id: number): Promise<TextAnswer> {
    const [task] = (await this.executions.tasks(RECONCILIATION, id, { page: 1, size: 1 }))?.items ?? [];
    const text = task && (await this.executions.log(RECONCILIATION, id, task.id));
    if (text === undefined) throw new Problem('NOT_FOUND', NO_RUN);
    return { type: PLAIN_TEXT, text };
  }

  async schedule(): Promise<ReconciliationSchedule> {
    const schedule = await this.schedules.find(RECONCILIATION);
    if (schedule === undefined) throw new Problem('NOT_FOUND', NO_SCHEDULE);
    const { cron, nextDueAt, parameters } = schedule;
    const times = (await this.schedules.arePaused()) ? [] : [nextDueAt, ...nextTimes(cron, TIMES_SHOWN - 1, nextDueAt)];
    return { cron, ...wantedOf(parameters), next_times: times.map((time) => time.toISOString()) };
  }

  async setSchedule(caller: Caller, { cron, ...request }: ReconciliationScheduleReq): Promise<void> {
    const fault = cronFault(cron);
    if (fault !== undefined) throw new Problem('BAD_REQUEST', `cron: ${fault}`);
    const run = runOf(request);
    await this.database.transaction(async (transaction) => {
      await this.schedules.setIn(transaction, { ...RECONCILIATION, cronType: 'Custom', cron, parameters: { ...run } });
      await audit(transaction, caller, 'update', 'schedule', `schedule comparisons of storage with the catalog: ${cron} ${JSON.stringify(run)}`);
    });
  }

  async removeSchedule(caller: Caller): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if (!(await this.schedules.removeIn(transaction, RECONCILIATION))) throw new Problem('NOT_FOUND', NO_SCHEDULE);
      await audit(transaction, caller, 'delete', 'schedule', 'remove the schedule of comparisons of storage with the catalog');
    });
  }

  async #find(id: number): Promise<Execution> {
    const execution = await this.executions.find(RECONCILIATION, id);
    if (execution === undefined) throw new Problem('NOT_FOUND', NO_RUN);
    return execution;
  }
}

function runOf({ reclaim = false, rehash = false, mark_lost = 'few', grace_seconds = GRACE_SECONDS }: ReconciliationReq): Required<ReconciliationRun> {
  return { reclaim, rehash, mark_lost, grace_seconds };
}

/** What was asked for, from attributes that this service wrote, be it before there was `mark_lost`. */
function wantedOf(attributes: Attributes): Required<ReconciliationRun> {
  return { mark_lost: 'few', ...(attributes as unknown as ReconciliationRun) };
}

async function audit(transaction: Transaction, caller: Caller, operation: 'start' | 'stop' | 'update' | 'delete', resource: string, description: string): Promise<void> {
  await recordAudit(transaction, caller, { operation, resourceType: RESOURCE, resource, description });
}

function reconciliationOf({ id, status, statusMessage, trigger, startedAt, endedAt, attributes }: Execution, report: TaskReport | undefined): Reconciliation {
  const { reclaim, rehash, mark_lost, grace_seconds } = wantedOf(attributes);
  const { phase, stored, rehashed, known, young, found, outcomes, not_marked } = (report?.attributes ?? {}) as unknown as Partial<ReconciliationProgress>;
  const message = report === undefined || report.message === '' ? statusMessage : report.message;
  const progress = { phase, stored, rehashed, known, young, found, outcomes, not_marked };
  return {
    id, status, ...(message === '' ? {} : { status_message: message }), trigger, start_time: startedAt.toISOString(), ...(endedAt === undefined ? {} : { end_time: endedAt.toISOString() }),
    reclaim, rehash, mark_lost, grace_seconds, ...(Object.fromEntries(Object.entries(progress).filter(([, value]) => value !== undefined)) as Partial<Reconciliation>),
  };
}
