import { Injectable } from '@nestjs/common';
import { permissionsOf, REPOSITORY_ACTIONS, roleFromNumber, subjectId, type Caller, type Role } from '@haven/access';
import { Problem, type MemberListQuery, type Page, type ProjectMember, type ProjectMemberEntity } from '@haven/api';
import { appendEvents, Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import type { KnownProject } from '../authorization/known-project.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { typesIn } from '../group/group-rules.js';
import { subjectsIn } from '../group/group.store.js';
import { AuthProxyPeopleService } from '../identity/auth-proxy/auth-proxy-people.service.js';
import { LdapPeopleService } from '../identity/ldap/ldap-people.service.js';
import { mapPage } from '../listing/select-page.js';
import { holdEntity, wantedEntity, type WantedEntity } from './member-entity.js';
import { deleteMember, holdProject, insertMember, lockMember, MemberStore, updateRole, type Entity, type MemberRow } from './member.store.js';

const NO_MEMBER = 'the project has no such member';

/** Who belongs to a project, and with which role. Taking rights away takes back the tokens that carry them. */
@Injectable()
export class MemberService {
  constructor(
    private readonly store: MemberStore,
    private readonly configuration: ConfigurationService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
    private readonly directory: LdapPeopleService,
    private readonly proxied: AuthProxyPeopleService,
  ) {}

  async list(project: KnownProject, query: MemberListQuery): Promise<Page<ProjectMemberEntity>> {
    return mapPage(await this.store.list(project.id, query.entityname, query.page, query.page_size), entityOf);
  }

  async get(project: KnownProject, id: number): Promise<ProjectMemberEntity> {
    const row = await this.store.find(project.id, id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_MEMBER);
    return entityOf(row);
  }

  /** Adds a user or a group; resolves to the member's id. */
  async add(project: KnownProject, caller: Caller, request: ProjectMember): Promise<number> {
    const role = requiredRole(request.role_id);
    const wanted = await this.#madeKnown(wantedEntity(request, typesIn(await this.configuration.current())));
    return this.database.transaction(async (transaction) => {
      if (!(await holdProject(transaction, project.id))) throw new Problem('NOT_FOUND', 'there is no such project');
      const entity = await holdEntity(transaction, caller, wanted);
      const id = await insertMember(transaction, project.id, entity, role);
      if (id === undefined) throw new Problem('CONFLICT', `the ${entity.kind} is a member of the project already; change the role instead`);
      await note(transaction, project, caller, 'create', { entity, role });
      return id;
    });
  }

  /** People and groups of another system can become members before they have come here. */
  async #madeKnown(wanted: WantedEntity): Promise<WantedEntity> {
    if (wanted.kind === 'identified-group') await this.directory.requireGroup(wanted.identity);
    if (wanted.kind !== 'user' || wanted.id !== undefined || wanted.username === undefined) return wanted;
    return { ...wanted, id: (await this.directory.idOf(wanted.username)) ?? (await this.proxied.prepare(wanted.username)) };
  }

  async changeRole(project: KnownProject, caller: Caller, id: number, roleId: number): Promise<void> {
    const role = requiredRole(roleId);
    const lost = await this.database.transaction(async (transaction) => {
      const member = await lockMember(transaction, project.id, id);
      if (member === undefined) throw new Problem('NOT_FOUND', NO_MEMBER);
      await updateRole(transaction, id, role);
      const losesRights = losesRegistryRights(member.role, role);
      if (losesRights) await withdrawTokens(transaction, await subjectsOf(transaction, member.entity));
      await note(transaction, project, caller, 'update', { entity: member.entity, role });
      return losesRights;
    });
    if (lost) this.broadcasts.publish('access-changed', {});
  }

  async remove(project: KnownProject, caller: Caller, id: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const member = await lockMember(transaction, project.id, id);
      if (member === undefined) throw new Problem('NOT_FOUND', NO_MEMBER);
      await deleteMember(transaction, id);
      await withdrawTokens(transaction, await subjectsOf(transaction, member.entity));
      await note(transaction, project, caller, 'delete', member);
    });
    this.broadcasts.publish('access-changed', {});
  }
}

/** Whose tokens a change for a member is about: the user, or everybody in the group. */
function subjectsOf(transaction: Transaction, { kind, id }: Entity): Promise<readonly string[]> {
  return kind === 'user' ? Promise.resolve([`user:${id}`]) : subjectsIn(transaction, id);
}

/** Tells of a change, to subscribers and to the audit trail. */
async function note(transaction: Transaction, project: KnownProject, caller: Caller, operation: 'create' | 'update' | 'delete', { entity, role }: { readonly entity: Entity; readonly role: number }): Promise<void> {
  const payload = { project: project.id, name: project.name, ...(entity.kind === 'user' ? { user: entity.id } : { group: entity.id }) };
  await appendEvents(transaction, [{ type: 'member.changed', payload, actor: subjectId(caller.subject) }]);
  const description = `${operation} member ${entity.name} of project ${project.name} with role ${roleFromNumber(role) ?? role}`;
  await recordAudit(transaction, caller, { operation, resourceType: 'member', resource: entity.name, description, project: project.id });
}

function requiredRole(number: number): number {
  if (roleFromNumber(number) === undefined) throw new Problem('BAD_REQUEST', 'role_id must be 1 (project admin), 2 (developer), 3 (guest), 4 (maintainer) or 5 (limited guest)');
  return number;
}

/** Whether a token made for the old role can carry what the new one may not do. */
function losesRegistryRights(from: number, to: number): boolean {
  const rights = (number: number): ReadonlySet<string> => {
    const role: Role | undefined = roleFromNumber(number);
    return role === undefined ? new Set() : permissionsOf(role);
  };
  return REPOSITORY_ACTIONS.some((action) => rights(from).has(`repository:${action}`) && !rights(to).has(`repository:${action}`));
}

function entityOf(row: MemberRow): ProjectMemberEntity {
  const role = roleFromNumber(row.role);
  if (role === undefined) throw new Error(`member ${row.id} has the unknown role ${row.role}`);
  const { entity } = row;
  return { id: row.id, project_id: row.projectId, entity_name: entity.name, role_name: role, role_id: row.role, entity_id: entity.id, entity_type: entity.kind === 'user' ? 'u' : 'g' };
}
