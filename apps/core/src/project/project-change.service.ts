import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem, type CVEAllowlistReq, type ProjectReq } from '@haven/api';
import { appendEvents, Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { isProjectName } from '@haven/oci';
import { readAllowlist } from '../allowlist/allowlist.js';
import { replaceAllowlist } from '../allowlist/allowlist.store.js';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import type { KnownProject } from '../authorization/known-project.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { binProject, firstAdministrator, hasRepositories, insertProject, updateProject } from './project-change.store.js';
import { readMetadata } from './project-metadata.js';
import { refuseProxyCache, requireCreator, storageLimitFor } from './project-request.js';
import { NO_PROJECT, NOT_EMPTY } from './project-sentences.js';
import { lockProject, type LockedProject } from './project.store.js';

const NAME_RULE = 'project_name must be lower-case letters and digits, in words joined by one ".", "_" or "-", of at most 255 characters';

/** What is to become of a project's settings; made from the project as it is while nobody else can change it. */
export interface SettingsChange {
  readonly public?: boolean | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
}

@Injectable()
export class ProjectChangeService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  /** Makes a project with the caller as its administrator, or the first system administrator for a robot; resolves to its id. */
  async create(caller: Caller, request: ProjectReq): Promise<number> {
    const { subject } = caller;
    const configuration = await this.configuration.current();
    requireCreator(caller, configuration);
    const name = request.project_name ?? '';
    if (!isProjectName(name)) throw new Problem('BAD_REQUEST', NAME_RULE);
    refuseProxyCache(caller, request);
    requireRetention(request, undefined);
    const { public: isPublic = false, metadata } = readMetadata(request);
    const allowlist = allowlistIn(request.cve_allowlist);
    const storageLimit = storageLimitFor(caller, request, configuration);
    const id = await this.database.transaction(async (transaction) => {
      const ownerId = subject.kind === 'user' ? subject.id : await firstAdministrator(transaction);
      const created = await insertProject(transaction, { name, public: isPublic, ownerId, metadata, storageLimit });
      if (created === undefined) throw new Problem('CONFLICT', `there is a project called ${name} already; choose another name`);
      if (allowlist !== undefined) await replaceAllowlist(transaction, created, allowlist);
      await appendEvents(transaction, [{ type: 'project.created', payload: { project: created, name }, actor: subjectId(subject) }]);
      await recordAudit(transaction, caller, { operation: 'create', resourceType: 'project', resource: name, description: `create project: ${name}`, project: created });
      return created;
    });
    this.broadcasts.publish('project-changed', { project: name });
    return id;
  }

  /** Changes the settings that the request names; a project keeps its name and its quota. */
  async update(project: KnownProject, caller: Caller, request: ProjectReq): Promise<void> {
    const wanted = readMetadata(request);
    const { cve_allowlist: list } = request;
    if (list?.project_id !== undefined && list.project_id !== null && list.project_id !== 0 && list.project_id !== project.id) {
      throw new Problem('BAD_REQUEST', 'cve_allowlist.project_id must be 0 or the id of the project itself');
    }
    const allowlist = allowlistIn(list);
    await this.changeSettings(project, caller, async (current, transaction) => {
      requireRetention(request, current.retentionId);
      if (allowlist !== undefined) await replaceAllowlist(transaction, project.id, allowlist);
      return wanted;
    });
  }

  /** Changes settings as `change` says; a project that becomes private takes back the tokens for it. */
  async changeSettings(project: KnownProject, caller: Caller, change: (current: LockedProject, transaction: Transaction) => SettingsChange | Promise<SettingsChange>): Promise<void> {
    const hidden = await this.database.transaction(async (transaction) => {
      const current = await lockProject(transaction, project.id);
      if (current === undefined) throw new Problem('NOT_FOUND', NO_PROJECT);
      const wanted = await change(current, transaction);
      const isPublic = wanted.public ?? current.public;
      await updateProject(transaction, project.id, isPublic, wanted);
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
      if ((await lockProject(transaction, project.id)) === undefined) throw new Problem('NOT_FOUND', NO_PROJECT);
      if (await hasRepositories(transaction, project.id)) throw new Problem('PRECONDITION', NOT_EMPTY);
      const robots = await binProject(transaction, project.id);
      await withdrawTokens(transaction, [`project:${project.id}`, ...robots.map((robot) => `robot:${robot}`)]);
      await appendEvents(transaction, [{ type: 'project.deleted', payload: { project: project.id, name: project.name }, actor: subjectId(caller.subject) }]);
      await recordAudit(transaction, caller, { operation: 'delete', resourceType: 'project', resource: project.name, description: `delete project: ${project.name}`, project: project.id });
    });
    this.broadcasts.publish('access-changed', {});
    this.broadcasts.publish('project-changed', { project: project.name });
  }
}

function allowlistIn(request: CVEAllowlistReq | null | undefined): ReturnType<typeof readAllowlist> | undefined {
  return request === undefined || request === null ? undefined : readAllowlist(request);
}

/** The id of the retention policy follows from that policy; requests may only repeat it. */
function requireRetention({ metadata }: ProjectReq, current: number | undefined): void {
  const given = metadata?.retention_id ?? '';
  if (given === '' || given === String(current)) return;
  throw new Problem('BAD_REQUEST', 'metadata.retention_id cannot be set: it follows from the retention policy of the project');
}
