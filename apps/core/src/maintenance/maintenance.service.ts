import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type GCHistory, type ListQuery, type MaintenanceScheduleReq, type Page } from '@haven/api';
import { Database } from '@haven/database';
import { Executions, maintenanceOwner, planMaintenance, Schedules, type Attributes, type Execution, type ExecutionFilter, type Maintenance, type Schedule, type StartedExecution, type TaskReport } from '@haven/execution';
import { recordAudit, recordNoChange } from '../audit/record-audit.js';
import { PLAIN_TEXT, type TextAnswer } from '../http/response.interceptor.js';
import { readSchedule } from './maintenance-schedule.js';

/** A kind of maintenance, as core speaks of it. */
export interface MaintenanceKind {
  readonly type: Maintenance;
  /** What the audit trail calls it. */
  readonly resourceType: string;
  /** E.g. "garbage collection". */
  readonly words: string;
}

/** Work on the whole installation that administrators start, watch, stop and schedule; the job service does it. */
@Injectable()
export class MaintenanceService {
  constructor(
    private readonly database: Database,
    private readonly executions: Executions,
    private readonly schedules: Schedules,
  ) {}

  async list({ type }: MaintenanceKind, query: ListQuery): Promise<Page<GCHistory>> {
    const { items, total } = await this.executions.list(maintenanceOwner(type), { page: query.page, size: query.page_size }, filterOf(query));
    const reports = await this.executions.reports(items.map(({ id }) => id));
    return { items: items.map((execution) => historyOf(execution, reports.get(execution.id))), total };
  }

  async get(kind: MaintenanceKind, id: number): Promise<GCHistory> {
    const execution = await this.#find(kind, id);
    return historyOf(execution, (await this.executions.reports([id])).get(id));
  }

  async stop(caller: Caller, kind: MaintenanceKind, id: number): Promise<void> {
    const { resourceType, words } = kind;
    await this.database.transaction(async (transaction) => {
      if (!(await this.executions.stopIn(transaction, maintenanceOwner(kind.type), id))) throw noSuch(kind);
      await recordAudit(transaction, caller, { operation: 'stop', resourceType, resource: String(id), description: `stop ${words} ${id}` });
    });
    this.executions.announceStop(id);
  }

  async log(kind: MaintenanceKind, id: number): Promise<TextAnswer> {
    const { statusMessage } = await this.#find(kind, id);
    const [task] = (await this.executions.tasks(maintenanceOwner(kind.type), id, { page: 1, size: 1 }))?.items ?? [];
    const text = task === undefined ? `${statusMessage}\n` : await this.executions.log(maintenanceOwner(kind.type), id, task.id);
    if (text === undefined) throw noSuch(kind);
    return { type: PLAIN_TEXT, text };
  }

  /** With nothing in it when nothing is scheduled. */
  async schedule({ type }: MaintenanceKind): Promise<GCHistory> {
    const schedule = await this.schedules.find(maintenanceOwner(type));
    return schedule === undefined ? {} : scheduleOf(schedule, await this.schedules.arePaused());
  }

  /** Sets or removes the schedule, or starts a run now; resolves to the run's id then. */
  async apply(caller: Caller, kind: MaintenanceKind, operation: 'create' | 'update', request: MaintenanceScheduleReq, read: (given: Attributes) => object): Promise<number | undefined> {
    const wanted = readSchedule(request);
    if (wanted.kind === 'remove') {
      await this.#remove(caller, kind, operation);
      return undefined;
    }
    const parameters = { ...read(request.parameters ?? {}) };
    if (wanted.kind === 'run') return this.#start(caller, kind, operation, parameters);
    const { type, resourceType, words } = kind;
    await this.database.transaction(async (transaction) => {
      await this.schedules.setIn(transaction, { ...maintenanceOwner(type), cronType: wanted.type, cron: wanted.cron, parameters });
      await recordAudit(transaction, caller, { operation, resourceType, resource: words, description: `schedule ${words}: ${wanted.type} ${wanted.cron} ${JSON.stringify(parameters)}` });
    });
    return undefined;
  }

  async #remove(caller: Caller, { type, resourceType, words }: MaintenanceKind, operation: 'create' | 'update'): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if (!(await this.schedules.removeIn(transaction, maintenanceOwner(type)))) return recordNoChange();
      await recordAudit(transaction, caller, { operation, resourceType, resource: words, description: `remove the schedule of ${words}` });
    });
  }

  async #start(caller: Caller, { type, resourceType, words }: MaintenanceKind, operation: 'create' | 'update', parameters: Attributes): Promise<number> {
    const started = await this.database.transaction(async (transaction): Promise<StartedExecution> => {
      const execution = await this.executions.startIn(transaction, planMaintenance({ type, trigger: 'MANUAL', startedBy: subjectId(caller.subject), parameters }));
      await recordAudit(transaction, caller, { operation, resourceType, resource: String(execution.id), description: `start ${words} ${execution.id}: ${JSON.stringify(parameters)}` });
      return execution;
    });
    await this.executions.wake(started);
    return started.id;
  }

  async #find(kind: MaintenanceKind, id: number): Promise<Execution> {
    const execution = await this.executions.find(maintenanceOwner(kind.type), id);
    if (execution === undefined) throw noSuch(kind);
    return execution;
  }
}

function noSuch({ words }: MaintenanceKind): Problem {
  return new Problem('NOT_FOUND', `there is no such ${words}`);
}

/** Keys that runs do not have are passed over, as in other lists. */
function filterOf({ q, sort }: ListQuery): ExecutionFilter {
  const filter: { status?: string; trigger?: string; oldestFirst?: boolean } = {};
  for (const { key, match } of parseQuery(q)) {
    if (match.kind !== 'exact') continue;
    if (key === 'status' || key === 'job_status') filter.status = match.value;
    if (key === 'trigger' || key === 'job_kind') filter.trigger = match.value.toUpperCase();
  }
  const [first] = parseSort(sort).filter(({ key }) => ['id', 'creation_time', 'start_time'].includes(key));
  if (first !== undefined && !first.descending) filter.oldestFirst = true;
  return filter;
}

function historyOf({ id, vendorType, trigger, attributes, status, statusMessage, startedAt, updatedAt }: Execution, report: TaskReport | undefined): GCHistory {
  const message = report === undefined || report.message === '' ? statusMessage : report.message;
  return {
    id, job_name: vendorType, job_kind: trigger, job_parameters: JSON.stringify({ ...attributes, ...report?.attributes }), schedule: { type: trigger === 'MANUAL' ? 'Manual' : 'Schedule' },
    job_status: status, ...(message === '' ? {} : { status_message: message }), deleted: false, creation_time: startedAt.toISOString(), update_time: updatedAt.toISOString(),
  };
}

function scheduleOf({ id, vendorType, cronType, cron, parameters, nextDueAt, createdAt, updatedAt }: Schedule, paused: boolean): GCHistory {
  return {
    id, job_name: vendorType, job_kind: 'SCHEDULE', job_parameters: JSON.stringify(parameters), deleted: false,
    schedule: { type: cronType as 'Custom', cron, ...(paused ? {} : { next_scheduled_time: nextDueAt.toISOString() }) },
    job_status: paused ? 'Paused' : 'Scheduled', creation_time: createdAt.toISOString(), update_time: updatedAt.toISOString(),
  };
}
