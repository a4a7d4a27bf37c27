import { Injectable } from '@nestjs/common';
import type { Action, Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type Label, type LabelListQuery, type LabelReq, type Page } from '@haven/api';
import { Database } from '@haven/database';
import { recordAudit } from '../audit/record-audit.js';
import { requireSystem } from '../authorization/admission.js';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { projectPermission, systemPermission } from '../authorization/requirement.js';
import { mapPage } from '../listing/select-page.js';
import { labelScope, labelText, type LabelScope } from './label-rules.js';
import { deleteLabel, insertLabel, LabelStore, updateLabel, type LabelRow } from './label.store.js';

const NO_LABEL = 'there is no such label';
/** Nobody's project: who may not see every project is refused there as in a project that is hidden. */
const NO_PROJECT = 0;

/** Labels: those of the installation, which everybody may list, and those of projects. */
@Injectable()
export class LabelService {
  constructor(
    private readonly store: LabelStore,
    private readonly projects: ProjectAccessService,
    private readonly database: Database,
  ) {}

  async list(caller: Caller, query: LabelListQuery): Promise<Page<Label>> {
    const scope = labelScope(query.scope, query.project_id);
    if (scope.scope === 'p') await this.projects.admit(scope.projectId, caller, projectPermission('label', 'list'));
    return mapPage(await this.store.list({
      scope, name: query.name, terms: parseQuery(query.q), sort: parseSort(query.sort), page: query.page, size: query.page_size,
    }), labelOf);
  }

  async get(caller: Caller, id: number): Promise<Label> {
    return labelOf(await this.#find(caller, id, 'read'));
  }

  /** Resolves to the new label's id. */
  async create(caller: Caller, request: LabelReq): Promise<number> {
    const scope = labelScope(request.scope, request.project_id);
    await this.#admit(caller, scope, 'create');
    const text = labelText(request);
    return this.database.transaction(async (transaction) => {
      const id = await insertLabel(transaction, scope, text);
      if (id === undefined) throw taken(text.name);
      await recordAudit(transaction, caller, { operation: 'create', resourceType: 'label', resource: text.name, description: `create label: ${text.name}`, ...projectOf(scope) });
      return id;
    });
  }

  /** Changes name, description and colour; a label stays where it belongs. */
  async update(caller: Caller, id: number, request: LabelReq): Promise<void> {
    const label = await this.#find(caller, id, 'update');
    const text = labelText(request, label);
    await this.database.transaction(async (transaction) => {
      const outcome = await updateLabel(transaction, id, text);
      if (outcome === 'gone') throw new Problem('NOT_FOUND', NO_LABEL);
      if (outcome === 'taken') throw taken(text.name);
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'label', resource: text.name, description: `update label: ${text.name}`, ...projectOf(scopeOf(label)) });
    });
  }

  /** Deletes the label and takes it off every artifact. */
  async delete(caller: Caller, id: number): Promise<void> {
    const label = await this.#find(caller, id, 'delete');
    await this.database.transaction(async (transaction) => {
      if (!(await deleteLabel(transaction, id))) throw new Problem('NOT_FOUND', NO_LABEL);
      await recordAudit(transaction, caller, { operation: 'delete', resourceType: 'label', resource: label.name, description: `delete label: ${label.name}`, ...projectOf(scopeOf(label)) });
    });
  }

  /** The label, when the caller may do this to it. One that is not there looks like one of a hidden project. */
  async #find(caller: Caller, id: number, action: 'read' | 'update' | 'delete'): Promise<LabelRow> {
    const label = await this.store.find(id);
    await this.#admit(caller, label === undefined ? { scope: 'p', projectId: NO_PROJECT } : scopeOf(label), action);
    if (label === undefined) throw new Problem('NOT_FOUND', NO_LABEL);
    return label;
  }

  async #admit(caller: Caller, scope: LabelScope, action: Action): Promise<void> {
    if (scope.scope === 'g') requireSystem(caller, systemPermission('label', action));
    else if (scope.projectId === NO_PROJECT) await this.#admitNowhere(caller, action);
    else await this.projects.admit(scope.projectId, caller, projectPermission('label', action));
  }

  /** Refuses as in a project that does not exist; those who see every project hear that it is the label that is missing. */
  async #admitNowhere(caller: Caller, action: Action): Promise<void> {
    try {
      await this.projects.admit(NO_PROJECT, caller, projectPermission('label', action));
    } catch (error) {
      if (error instanceof Problem && error.code === 'NOT_FOUND') throw new Problem('NOT_FOUND', NO_LABEL);
      throw error;
    }
  }
}

function scopeOf({ scope, projectId }: LabelRow): LabelScope {
  return scope === 'g' ? { scope } : { scope, projectId };
}

function projectOf(scope: LabelScope): { readonly project?: number } {
  return scope.scope === 'g' ? {} : { project: scope.projectId };
}

function taken(name: string): Problem {
  return new Problem('CONFLICT', `there is a label called ${name} already; choose another name`);
}

/** A label in the API's form. */
export function labelOf(row: LabelRow): Label {
  return {
    id: row.id, name: row.name, description: row.description, color: row.color, scope: row.scope, project_id: row.projectId,
    creation_time: row.createdAt.toISOString(), update_time: row.updatedAt.toISOString(),
  };
}
