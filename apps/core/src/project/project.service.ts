import { Injectable } from '@nestjs/common';
import { can, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type Page, type Project, type ProjectDeletable, type ProjectListQuery, type ProjectSummary } from '@haven/api';
import { Database } from '@haven/database';
import { isProjectName } from '@haven/oci';
import { WHOLE_INSTALLATION } from '../allowlist/allowlist.js';
import { findAllowlists } from '../allowlist/allowlist.store.js';
import type { KnownProject } from '../authorization/known-project.js';
import { userIdOf, visibleProjects } from '../authorization/role-sql.js';
import { mapPage } from '../listing/select-page.js';
import { hasRepositories } from './project-change.store.js';
import { NO_PROJECT, NOT_EMPTY } from './project-sentences.js';
import { briefProject, fullProject } from './project-view.js';
import { ProjectStore, type ProjectRow } from './project.store.js';

/** What there is to know of projects. */
@Injectable()
export class ProjectService {
  constructor(
    private readonly store: ProjectStore,
    private readonly database: Database,
  ) {}

  async list(caller: Caller, query: ProjectListQuery): Promise<Page<Project>> {
    const page = await this.store.list({
      userId: userIdOf(caller),
      visible: visibleProjects(caller),
      public: query.public,
      name: query.name,
      owner: query.owner,
      terms: parseQuery(query.q),
      sort: parseSort(query.sort),
      page: query.page,
      size: query.page_size,
    });
    if (query.with_detail === false) return mapPage(page, briefProject);
    return { items: await this.withDetails(page.items), total: page.total };
  }

  async get(project: KnownProject, caller: Caller): Promise<Project> {
    const [full] = await this.withDetails([await this.#row(project, caller)]);
    if (full === undefined) throw new Error('the details of a project were not answered');
    return full;
  }

  /** The projects with the lists of vulnerabilities that count in them; one question for all of them. */
  async withDetails(rows: readonly ProjectRow[]): Promise<Project[]> {
    if (rows.length === 0) return [];
    const lists = await findAllowlists(this.database, [WHOLE_INSTALLATION, ...rows.map((row) => row.id)]);
    return rows.map((row) => fullProject(row, lists));
  }

  exists(name: string): Promise<boolean> {
    return isProjectName(name) ? this.store.exists(name) : Promise.resolve(false);
  }

  async deletable(project: KnownProject): Promise<ProjectDeletable> {
    return (await hasRepositories(this.database, project.id)) ? { deletable: false, message: NOT_EMPTY } : { deletable: true };
  }

  async summary(project: KnownProject, caller: Caller): Promise<ProjectSummary> {
    const row = await this.#row(project, caller);
    const members = can(caller, 'list', 'member', project) ? await this.#memberCounts(project.id) : {};
    const quota = can(caller, 'read', 'quota', project)
      ? { quota: { hard: { storage: row.storageLimit }, used: { storage: await this.store.storageUsed(project.id) } } }
      : {};
    return { repo_count: row.repositories, ...members, ...quota };
  }

  async #memberCounts(id: number): Promise<Partial<ProjectSummary>> {
    const counts = await this.store.memberCounts(id);
    const of = (role: number): number => counts.get(role) ?? 0;
    return { project_admin_count: of(1), maintainer_count: of(4), developer_count: of(2), guest_count: of(3), limited_guest_count: of(5) };
  }

  async #row(project: KnownProject, caller: Caller): Promise<ProjectRow> {
    const row = await this.store.find(project.id, userIdOf(caller));
    if (row === undefined) throw new Problem('NOT_FOUND', NO_PROJECT);
    return row;
  }
}
