import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type ScanDataExportExecution, type ScanDataExportExecutionList, type ScanDataExportJob, type ScanDataExportRequest } from '@haven/api';
import { Executions, exportsOf, type Execution } from '@haven/execution';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { projectPermission } from '../authorization/requirement.js';
import { checkExport, exportedProject } from './scan-data-export-rules.js';
import { ScanDataExportStore } from './scan-data-export.store.js';

const NO_EXPORT = 'you have no such export';
const MOST_LISTED = 100;

/**
 * Exports of vulnerabilities: each belongs to who asked for it, and nobody else finds it. There is no scanner, so there
 * is nothing to export yet; what is asked for is checked all the same.
 */
@Injectable()
export class ScanDataExportService {
  constructor(
    private readonly projects: ProjectAccessService,
    private readonly executions: Executions,
    private readonly store: ScanDataExportStore,
  ) {}

  async start(caller: Caller, request: ScanDataExportRequest, dataType: string | undefined): Promise<ScanDataExportJob> {
    const project = await this.projects.admit(exportedProject(request), caller, projectPermission('export-cve', 'create'));
    checkExport(request, dataType);
    userOf(caller, 'exports belong to people: a robot account cannot have any');
    if (!(await this.store.areLabelsOf(project.id, request.labels ?? []))) throw new Problem('BAD_REQUEST', 'labels must be of the project or of the whole installation');
    throw new Problem('PRECONDITION', 'no scanner is configured; there are no vulnerabilities to export');
  }

  /** The caller's own, the latest first. */
  async list({ subject }: Caller): Promise<ScanDataExportExecutionList> {
    if (subject.kind !== 'user') return { items: [] };
    const { items } = await this.executions.list(exportsOf(subject.id), { page: 1, size: MOST_LISTED });
    return { items: items.map((execution) => exportOf(execution, subject.name)) };
  }

  async get(caller: Caller, id: number): Promise<ScanDataExportExecution> {
    const { name } = userOf(caller, NO_EXPORT);
    return exportOf(await this.#find(caller, id), name);
  }

  /** Rejects: what has been exported is kept nowhere, as nothing has been. */
  async download(caller: Caller, id: number): Promise<never> {
    await this.#find(caller, id);
    throw new Problem('NOT_FOUND', 'the export has no file');
  }

  /** The caller's export, while the caller may read exports of what is in it. Those of others look like missing ones. */
  async #find(caller: Caller, id: number): Promise<Execution> {
    const execution = await this.executions.find(exportsOf(userOf(caller, NO_EXPORT).id), id);
    if (execution === undefined) throw new Problem('NOT_FOUND', NO_EXPORT);
    const { projects } = execution.attributes;
    for (const project of Array.isArray(projects) ? projects : []) await this.projects.admit(Number(project), caller, projectPermission('export-cve', 'read'));
    return execution;
  }
}

function userOf({ subject }: Caller, otherwise: string): { readonly id: number; readonly name: string } {
  if (subject.kind !== 'user') throw new Problem('NOT_FOUND', otherwise);
  return subject;
}

function exportOf({ id, vendorId, status, statusMessage, trigger, startedAt, endedAt }: Execution, userName: string): ScanDataExportExecution {
  return {
    id, user_id: vendorId, user_name: userName, status, status_text: statusMessage, trigger, start_time: startedAt.toISOString(),
    ...(endedAt === undefined ? {} : { end_time: endedAt.toISOString() }), file_present: false,
  };
}
