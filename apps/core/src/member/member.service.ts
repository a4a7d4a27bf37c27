import { Injectable } from '@nestjs/common';
import { permissionsOf, REPOSITORY_ACTIONS, roleFromNumber, subjectId, type Caller, type Role } from '@haven/access';
import { Problem, type MemberListQuery, type Page, type ProjectMember, type ProjectMemberEntity } from '@haven/api';
import { appendEvents, Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import type { KnownProject } from '../authorization/known-project.js';
import { deleteMember, holdProject, insertMember, lockMember, lockUser, MemberStore, updateRole, type MemberRow } from './member.store.js';
import { mapPage } from '../listing/select-page.js';

const NO_MEMBER = 'the project has no such member';

/** Who belongs to a project, and with which role. Taking rights away takes back the tokens that carry them. */
@Injectable()
export class MemberService {
  constructor(
    private readonly store: MemberStore,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(project: KnownProject, query: MemberListQuery): Promise<Page<ProjectMemberEntity>> {
    return mapPage(await this.store.list(project.id, query.entityname, query.page, query.page_size), entityOf);
  }

  async get(project: KnownProject, id: number): Promise<ProjectMemberEntity> {
    const row = await this.store.find(project.id, id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_MEMBER);
    return entityOf(row);
  }

  /** Adds a user; resolves to the member's id. */
  async add(project: KnownProject, caller: Caller, request: ProjectMember): Promise<number> {
    const role = requiredRole(request.role_id);
    const wanted = wantedUser(request);
    return this.database.transaction(async (transaction) => {
      if (!(await holdProject(transaction, project.id))) throw new Problem('NOT_FOUND', 'there is no such project');
      const user = await lockUser(transaction, wanted);
      if (user === undefined) throw new Problem('NOT_FOUND', 'there is no such user');
      const id = await insertMember(transaction, project.id, user.id, role);
      if (id === undefined) throw new Problem('CONFLICT', 'the user is a member of the project already; change the role instead');
      await announce(transaction, project, user.id, caller);
      await audit(transaction, project, caller, 'create', user.username, role);
      return id;
    });
  }

  async changeRole(project: KnownProject, caller: Caller, id: number, roleId: number): Promise<void> {
    const role = requiredRole(roleId);
    const lost = await this.database.transaction(async (transaction) => {
      const member = await lockMember(transaction, project.id, id);
      if (member === undefined) throw new Problem('NOT_FOUND', NO_MEMBER);
      await updateRole(transaction, id, role);
      const losesRights = losesRegistryRights(member.role, role);
      if (losesRights) await withdrawTokens(transaction, [`user:${member.userId}`]);
      await announce(transaction, project, member.userId, caller);
      await audit(transaction, project, caller, 'update', member.username, role);
      return losesRights;
    });
    if (lost) this.broadcasts.publish('access-changed', {});
  }

  async remove(project: KnownProject, caller: Caller, id: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const member = await lockMember(transaction, project.id, id);
      if (member === undefined) throw new Problem('NOT_FOUND', NO_MEMBER);
      await deleteMember(transaction, id);
      await withdrawTokens(transaction, [`user:${member.userId}`]);
      await announce(transaction, project, member.userId, caller);
      await audit(transaction, project, caller, 'delete', member.username, member.role);
    });
    this.broadcasts.publish('access-changed', {});
  }
}

async function announce(transaction: Transaction, project: KnownProject, user: number, caller: Caller): Promise<void> {
  await appendEvents(transaction, [{ type: 'member.changed', payload: { project: project.id, name: project.name, user }, actor: subjectId(caller.subject) }]);
}

async function audit(transaction: Transaction, project: KnownProject, caller: Caller, operation: 'create' | 'update' | 'delete', name: string, role: number): Promise<void> {
  const description = `${operation} member ${name} of project ${project.name} with role ${roleFromNumber(role) ?? role}`;
  await recordAudit(transaction, caller, { operation, resourceType: 'member', resource: name, description, project: project.id });
}

function requiredRole(number: number): number {
  if (roleFromNumber(number) === undefined) throw new Problem('BAD_REQUEST', 'role_id must be 1 (project admin), 2 (developer), 3 (guest), 4 (maintainer) or 5 (limited guest)');
  return number;
}

function wantedUser({ member_user: user, member_group: group }: ProjectMember): { readonly id?: number | undefined; readonly username?: string | undefined } {
  if (group !== undefined && group !== null) throw new Problem('BAD_REQUEST', 'member_group: this version knows no groups; add users');
  if (user?.user_id === undefined && !user?.username) throw new Problem('BAD_REQUEST', 'member_user needs a user_id or a username');
  return { id: user.user_id, username: user.username };
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
  return { id: row.id, project_id: row.projectId, entity_name: row.username, role_name: role, role_id: row.role, entity_id: row.userId, entity_type: 'u' };
}
