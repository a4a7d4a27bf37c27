import { Injectable } from '@nestjs/common';
import { canOnSystem, permissionsOf, ROLES, roleNumber, type Caller } from '@haven/access';
import { auditEventType, parseQuery, parseSort, Problem, type AuditLogExt, type AuditLogEventType, type ListQuery, type Page } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { RouteTable } from '../http/route-table.service.js';
import { mapPage } from '../listing/select-page.js';
import { AUDIT_COLUMNS, AuditLogStore, type AuditRange, type AuditRow } from './audit-log.store.js';

/** Kinds of lines that come from the registry's own events or from logging in. */
const EVENT_TYPES = [
  'create_artifact', 'delete_artifact', 'pull_artifact', 'restore_artifact', 'create_tag', 'update_tag', 'delete_tag', 'create_repository', 'delete_repository',
  'restore_repository', 'login_user', 'logout_user',
];
/** Who may read the trail of a project. */
const READERS = ROLES.filter((role) => permissionsOf(role).has('log:list')).map(roleNumber);

@Injectable()
export class AuditLogService {
  constructor(
    private readonly store: AuditLogStore,
    private readonly routes: RouteTable,
  ) {}

  /** All lines, or those of the projects whose trail the caller may read. */
  async listAll(caller: Caller, query: ListQuery): Promise<Page<AuditLogExt>> {
    return this.#list(await this.#range(caller), query);
  }

  listOf(project: KnownProject, query: ListQuery): Promise<Page<AuditLogExt>> {
    return this.#list({ kind: 'projects', ids: [project.id] }, query);
  }

  /** Every kind of line that there is. */
  eventTypes(): AuditLogEventType[] {
    const recorded = this.routes.routes.flatMap(({ operation: { audits } }) => (audits === undefined || audits === 'nothing' ? [] : [auditEventType(audits)]));
    return [...new Set([...EVENT_TYPES, ...recorded])].sort().map((event_type) => ({ event_type }));
  }

  async #list(range: AuditRange, { q, sort, page, page_size: size }: ListQuery): Promise<Page<AuditLogExt>> {
    const terms = parseQuery(q);
    const unknown = terms.find(({ key }) => !AUDIT_COLUMNS.has(key));
    if (unknown !== undefined) throw new Problem('BAD_REQUEST', `q: there is no ${unknown.key.slice(0, 64)} here; use ${[...AUDIT_COLUMNS.keys()].join(', ')}`);
    return mapPage(await this.store.list({ range, terms, sort: parseSort(sort), page, size }), lineOf);
  }

  async #range(caller: Caller): Promise<AuditRange> {
    const { subject, robot } = caller;
    if (canOnSystem(caller, 'list', 'audit-log')) return { kind: 'all' };
    if (subject.kind === 'user') return { kind: 'projects', ids: await this.store.projectsWith(subject.id, READERS) };
    const grants = (robot?.grants ?? []).flatMap((grant) => (grant.kind === 'project' && grant.resource === 'log' && grant.action === 'list' ? [grant.project] : []));
    if (grants.includes('*')) return { kind: 'every-project' };
    return { kind: 'projects', ids: grants.filter((project) => project !== '*') };
  }
}

function lineOf(row: AuditRow): AuditLogExt {
  return {
    id: row.id,
    username: row.username,
    resource: row.resource,
    resource_type: row.resourceType,
    operation: row.operation,
    operation_description: row.description,
    operation_result: row.result,
    op_time: row.at.toISOString(),
  };
}
