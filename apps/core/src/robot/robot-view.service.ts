import { Injectable } from '@nestjs/common';
import { parseSubjectId, type Action, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type ListQuery, type Page, type QueryTerm, type Robot } from '@haven/api';
import { requireSystem } from '../authorization/admission.js';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { projectPermission, systemPermission } from '../authorization/requirement.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { loginName } from '../identity/robot-name.js';
import { mapPage } from '../listing/select-page.js';
import { admitToRobot } from './robot-admission.js';
import { permissionsOf } from './robot-permissions.js';
import { FOR_EVER } from './robot-rules.js';
import { ROBOT_COLUMNS, RobotStore, type RobotRow } from './robot.store.js';

/** Robots as the API shows them. */
@Injectable()
export class RobotViewService {
  constructor(
    private readonly store: RobotStore,
    private readonly projects: ProjectAccessService,
    private readonly configuration: ConfigurationService,
  ) {}

  /** Robots of the system, or with `Level=project,ProjectID=…` in q those of a project. */
  async list(caller: Caller, query: ListQuery): Promise<Page<Robot>> {
    const { projectId, terms } = rangeOf(parseQuery(query.q));
    if (projectId === undefined) requireSystem(caller, systemPermission('robot', 'list'));
    else await this.projects.admit(projectId, caller, projectPermission('robot', 'list'));
    return this.#list(projectId, terms, query);
  }

  ofProject(project: KnownProject, query: ListQuery): Promise<Page<Robot>> {
    return this.#list(project.id, rangeOf(parseQuery(query.q)).terms, query);
  }

  async get(caller: Caller, id: number, project?: KnownProject): Promise<Robot> {
    const robot = await this.admitted(caller, id, 'read', project);
    return robotOf(robot, await this.prefix());
  }

  /**
   * The robot, when the caller may do this to it.
   *
   * @param project the only one whose robots are looked at, for addresses that name it
   */
  async admitted(caller: Caller, id: number, action: Action, project?: KnownProject): Promise<RobotRow> {
    const found = await this.store.find(id);
    const robot = project === undefined || found?.project?.id === project.id ? found : undefined;
    if (project !== undefined && robot === undefined) throw new Problem('NOT_FOUND', 'the project has no such robot');
    return admitToRobot(caller, robot, robot?.project && (await this.projects.find(robot.project.id, caller)), action);
  }

  async prefix(): Promise<string> {
    return (await this.configuration.current()).robot_name_prefix;
  }

  async #list(projectId: number | undefined, terms: readonly QueryTerm[], { sort, page, page_size: size }: ListQuery): Promise<Page<Robot>> {
    const prefix = await this.prefix();
    const rows = await this.store.list({ projectId, terms: terms.map((term) => withoutPrefix(term, prefix)), sort: parseSort(sort), page, size });
    return mapPage(rows, (row) => robotOf(row, prefix));
  }
}

/** Takes Level and ProjectID out of q. What else is asked must be something that robots have. */
function rangeOf(terms: readonly QueryTerm[]): { readonly projectId: number | undefined; readonly terms: readonly QueryTerm[] } {
  const level = only(terms, ['level', 'Level']);
  const project = only(terms, ['projectid', 'ProjectID', 'project_id', 'ProjectId']);
  const others = terms.filter((term) => term !== level && term !== project);
  const unknown = others.find(({ key }) => !ROBOT_COLUMNS.has(key));
  if (unknown !== undefined) throw new Problem('BAD_REQUEST', `q: robots have no "${unknown.key.slice(0, 64)}"; use Level, ProjectID, ${[...ROBOT_COLUMNS.keys()].join(', ')}`);
  const wanted = exactValue(level) ?? 'system';
  if (wanted !== 'system' && wanted !== 'project') throw new Problem('BAD_REQUEST', 'q: Level must be system or project');
  const id = exactValue(project);
  if (wanted === 'system') return { projectId: undefined, terms: others };
  if (id === undefined || !/^[1-9]\d{0,14}$/.test(id)) throw new Problem('BAD_REQUEST', 'q: Level=project needs ProjectID with the id of a project');
  return { projectId: Number(id), terms: others };
}

function only(terms: readonly QueryTerm[], keys: readonly string[]): QueryTerm | undefined {
  const [term, second] = terms.filter(({ key }) => keys.includes(key));
  if (second !== undefined) throw new Problem('BAD_REQUEST', `q: ${second.key} may be given only once`);
  return term;
}

function exactValue(term: QueryTerm | undefined): string | undefined {
  if (term === undefined) return undefined;
  if (term.match.kind !== 'exact') throw new Problem('BAD_REQUEST', `q: ${term.key} takes one value, as ${term.key}=…`);
  return term.match.value;
}

/** Names are stored without the prefix; clients ask with it or without. */
function withoutPrefix(term: QueryTerm, prefix: string): QueryTerm {
  const { key, match } = term;
  if (key !== 'name' || (match.kind !== 'exact' && match.kind !== 'fuzzy') || !match.value.startsWith(prefix)) return term;
  return { key, match: { kind: match.kind, value: match.value.slice(prefix.length) } };
}

/** The robot in the API's form. */
export function robotOf(row: RobotRow, prefix: string): Robot {
  const creator = parseSubjectId(row.creator);
  return {
    id: row.id,
    name: fullNameOf(row, prefix),
    description: row.description,
    level: row.level,
    duration: row.duration,
    editable: true,
    disable: row.disabled,
    expires_at: secondsOf(row.expiresAt),
    permissions: permissionsOf(row.grants),
    creator_type: creator?.kind === 'robot' ? 'robot' : 'local',
    creator_ref: creator === undefined || creator.kind === 'anonymous' ? 0 : creator.id,
    creation_time: row.createdAt.toISOString(),
    update_time: row.updatedAt.toISOString(),
    ...(row.lastUsedAt === undefined ? {} : { last_used_time: row.lastUsedAt.toISOString() }),
  };
}

/** What it logs in as. */
export function fullNameOf({ name, project }: Pick<RobotRow, 'name' | 'project'>, prefix: string): string {
  return loginName(prefix, { project: project?.name, name });
}

/** Seconds since 1970; -1 for never. */
export function secondsOf(expiresAt: Date | undefined): number {
  return expiresAt === undefined ? FOR_EVER : Math.floor(expiresAt.getTime() / 1000);
}
