import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type Page, type UserGroup, type UserGroupListQuery, type UserGroupReq, type UserGroupSearchItem, type UserGroupSearchQuery } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { LdapPeopleService } from '../identity/ldap/ldap-people.service.js';
import { mapPage } from '../listing/select-page.js';
import { identityOf, requiredDnKey, requiredGroupName, typesIn } from './group-rules.js';
import { deleteGroup, GroupStore, insertGroup, lockGroup, renameGroup, subjectsIn, type GroupRow } from './group.store.js';

const NO_GROUP = 'there is no such group';

/** Groups that people come with when they log in; projects have them as members. Who is in them, their directory says. */
@Injectable()
export class GroupService {
  constructor(
    private readonly store: GroupStore,
    private readonly configuration: ConfigurationService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
    private readonly directory: LdapPeopleService,
  ) {}

  /** Groups of the kinds that the way people log in now knows. */
  async list({ group_name: name, ldap_group_dn: dn, page, page_size: size }: UserGroupListQuery): Promise<Page<UserGroup>> {
    const types = typesIn(await this.configuration.current());
    const key = dn === undefined || dn === '' ? undefined : requiredDnKey(dn);
    return mapPage(await this.store.list({ types, name, dnKey: key, page, size }), groupOf);
  }

  async search({ groupname: name, page, page_size: size }: UserGroupSearchQuery): Promise<Page<UserGroupSearchItem>> {
    const types = typesIn(await this.configuration.current());
    return mapPage(await this.store.list({ types, name, dnKey: undefined, page, size }), ({ id, name: found, type }) => ({ id, group_name: found, group_type: type }));
  }

  async get(id: number): Promise<UserGroup> {
    const group = await this.store.find(id);
    if (group === undefined) throw new Problem('NOT_FOUND', NO_GROUP);
    return groupOf(group);
  }

  /** Resolves to the new group's id. */
  async create(caller: Caller, request: UserGroupReq): Promise<number> {
    const identity = identityOf(request);
    await this.directory.requireGroup(identity);
    return this.database.transaction(async (transaction) => {
      const id = await insertGroup(transaction, identity);
      if (id === undefined) throw new Problem('CONFLICT', `there is a group ${identity.dn === undefined ? 'of that type and name' : 'with that DN'} already`);
      await auditGroup(transaction, caller, 'create', identity.name);
      return id;
    });
  }

  /** Gives the group another name; what it is in its directory stays. */
  async rename(caller: Caller, id: number, request: UserGroupReq): Promise<void> {
    const name = requiredGroupName(request.group_name);
    await this.database.transaction(async (transaction) => {
      if ((await lockGroup(transaction, id)) === undefined) throw new Problem('NOT_FOUND', NO_GROUP);
      if ((await renameGroup(transaction, id, name)) === 'taken') throw new Problem('CONFLICT', 'another group of that type has that name; choose another');
      await auditGroup(transaction, caller, 'update', name);
    });
  }

  /** Deletes the group and its memberships; tokens of the people in it are taken back. */
  async delete(caller: Caller, id: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const group = await lockGroup(transaction, id);
      if (group === undefined) throw new Problem('NOT_FOUND', NO_GROUP);
      const subjects = await subjectsIn(transaction, id);
      await deleteGroup(transaction, id);
      await withdrawTokens(transaction, subjects);
      await auditGroup(transaction, caller, 'delete', group.name);
    });
    this.broadcasts.publish('access-changed', {});
  }
}

/** Puts what was done to a group into the audit trail. */
export async function auditGroup(transaction: Transaction, caller: Caller, operation: 'create' | 'update' | 'delete', name: string): Promise<void> {
  await recordAudit(transaction, caller, { operation, resourceType: 'user_group', resource: name, description: `${operation} user group: ${name}` });
}

function groupOf({ id, name, type, dn }: GroupRow): UserGroup {
  return { id, group_name: name, group_type: type, ...(dn === undefined ? {} : { ldap_group_dn: dn }) };
}
