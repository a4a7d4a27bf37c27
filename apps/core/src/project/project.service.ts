import { Injectable } from '@nestjs/common';
import { can, canOnSystem, roleNumber, strongestRole, subjectId, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type Page, type Project, type ProjectDeletable, type ProjectListQuery, type ProjectReq, type ProjectSummary } from '@haven/api';
import { appendEvents, Database } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { isProjectName } from '@haven/oci';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import type { KnownProject } from '../authorization/known-project.js';
import { rolesOf, userIdOf, visibleProjects } from '../authorization/role-sql.js';
import { metadataOf, readMetadata } from './project-metadata.js';
import { binProject, firstAdministrator, hasRepositories, insertProject, lockProject, ProjectStore, updateProject, type ProjectRow } from './project.store.js';
import { mapPage } from '../listing/select-page.js';

const NOT_EMPTY = 'the project contains repositories and cannot be deleted; delete them first';
const UNLIMITED = -1;
const MOST_STORAGE = 1024 * 1024 ** 4;

@Injectable()
export class ProjectService {
  constructor(
    private readonly store: ProjectStore,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(caller: Caller, query: ProjectListQuery): Promise<Page<Project>> {
    return mapPage(await this.store.list({
      userId: userIdOf(caller),
      visible: visibleProjects(caller),
      public: query.public,
      name: query.name,
      owner: query.owner,
      terms: parseQuery(query.q),
      sort: parseSort(query.sort),
      page: query.page,
      size: query.page_size,
    }), projectOf);
  }

  async get(project: KnownProject, caller: Caller): Promise<Project> {
    return projectOf(await this.#row(project, caller));
  }

  exists(name: string): Promise<boolean> {
    return isProjectName(name) ? this.store.exists(name) : Promise.resolve(false);
  }

  /** Makes a project with the caller as its administrator, or the first system administrator for a robot; resolves to its id. */
  async create(caller: Caller, request: ProjectReq): Promise<number> {
    const { subject } = caller;
    if (subject.kind !== 'user' && !canOnSystem(caller, 'create', 'project')) throw new Problem('FORBIDDEN', 'this robot may not make projects; it needs project:create on the system');
    const name = request.project_name ?? '';
    if (!isProjectName(name)) throw new Problem('BAD_REQUEST', `project_name must be lower-case letters and digits, in words joined by one ".", "_" or "-", of at most 255 characters`);
    refuseWhatIsMissing(request);
    const wanted = readMetadata(request);
    const storageLimit = subject.kind === 'user' && subject.sysadmin ? storageLimitOf(request) : UNLIMITED;
    const id = await this.database.transaction(async (transaction) => {
      const ownerId = subject.kind === 'user' ? subject.id : await firstAdministrator(transaction);
      const created = await insertProject(transaction, { name, public: wanted.public ?? false, ownerId, metadata: wanted.metadata, storageLimit });
      if (created === undefined) throw new Problem('CONFLICT', `there is a project called ${name} already; choose another name`);
      await appendEvents(transaction, [{ type: 'project.created', payload: { project: created, name }, actor: subjectId(subject) }]);
      await recordAudit(transaction, caller, { operation: 'create', resourceType: 'project', resource: name, description: `create project: ${name}`, project: created });
      return created;
    });
    this.broadcasts.publish('project-changed', { project: name });
    return id;
  }

  /** Changes the settings that the request names. A project that becomes private takes back the tokens for it. */
  async update(project: KnownProject, caller: Caller, request: ProjectReq): Promise<void> {
    refuseWhatIsMissing(request);
    const wanted = readMetadata(request);
    const hidden = await this.database.transaction(async (transaction) => {
      const current = await lockProject(transaction, project.id);
      if (current === undefined) throw new Problem('NOT_FOUND', 'there is no such project');
      const isPublic = wanted.public ?? current.public;
      await updateProject(transaction, project.id, isPublic, wanted.metadata);
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'project', resource: project.name, description: `update project: ${project.name}`, project: project.id });
      if (isPublic === current.public) return false;
      if (!isPublic) await withdrawTokens(transaction, [`project:${project.id}`]);
      await appendEvents(transaction, [
        { type: 'project.visibility-changed', payload: { project: project.id, name: project.name, public: isPublic }, actor: subjectId(caller.subject) },
      ]);
      return !isPublic;
    });
    if (hidden) this.broadcasts.publish('access-changed', {});
    this.broadcasts.publish('project-changed', { project: project.name });
  }

  async delete(project: KnownProject, caller: Caller): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if ((await lockProject(transaction, project.id)) === undefined) throw new Problem('NOT_FOUND', 'there is no such project');
      if (await hasRepositories(transaction, project.id)) throw new Problem('PRECONDITION', NOT_EMPTY);
      const robots = await binProject(transaction, project.id);
      await withdrawTokens(transaction, [`project:${project.id}`, ...robots.map((robot) => `robot:${robot}`)]);
      await appendEvents(transaction, [{ type: 'project.deleted', payload: { project: project.id, name: project.name }, actor: subjectId(caller.subject) }]);
      await recordAudit(transaction, caller, { operation: 'delete', resourceType: 'project', resource: project.name, description: `delete project: ${project.name}`, project: project.id });
    });
    this.broadcasts.publish('access-changed', {});
    this.broadcasts.publish('project-changed', { project: project.name });
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
    if (row === undefined) throw new Problem('NOT_FOUND', 'there is no such project');
    return row;
  }
}

function refuseWhatIsMissing({ registry_id: registry, cve_allowlist: allowlist }: ProjectReq): void {
  if ((registry ?? 0) > 0) throw new Problem('BAD_REQUEST', 'registry_id: this version makes no proxy-cache projects; leave it out');
  if ((allowlist?.items ?? []).length > 0) throw new Problem('BAD_REQUEST', 'cve_allowlist: this version keeps no CVE allowlists; leave it out');
}

function storageLimitOf({ storage_limit: limit }: ProjectReq): number {
  if (limit === undefined || limit === null || limit === 0) return UNLIMITED;
  if (limit === UNLIMITED || (limit > 0 && limit <= MOST_STORAGE)) return limit;
  throw new Problem('BAD_REQUEST', `storage_limit must be -1 (none) or 1 to ${MOST_STORAGE} bytes`);
}

function projectOf(row: ProjectRow): Project {
  return {
    project_id: row.id,
    owner_id: row.ownerId,
    owner_name: row.ownerName,
    name: row.name,
    creation_time: row.createdAt.toISOString(),
    update_time: row.updatedAt.toISOString(),
    deleted: false,
    repo_count: row.repositories,
    metadata: metadataOf(row.public, row.metadata),
    ...currentRoles(row),
  };
}

/** The strongest of the caller's roles, and all of them. */
function currentRoles(row: ProjectRow): Pick<Project, 'current_user_role_id' | 'current_user_role_ids'> {
  const strongest = strongestRole(rolesOf(row.roles));
  return strongest === undefined ? {} : { current_user_role_id: roleNumber(strongest), current_user_role_ids: [...row.roles] };
}
