import { canOnSystem, type Caller } from '@haven/access';
import { Problem, type ProjectMember, type UserGroupReq } from '@haven/api';
import type { Transaction } from '@haven/database';
import { identityOf, LDAP, requiredDnKey, type GroupIdentity } from '../group/group-rules.js';
import { auditGroup } from '../group/group.service.js';
import { holdGroup, holdIdentified, insertGroup, type GroupRow } from '../group/group.store.js';
import { lockUser, type Entity } from './member.store.js';

/** Whom a request wants as a member. */
export type WantedEntity =
  | { readonly kind: 'user'; readonly id: number | undefined; readonly username: string | undefined }
  | { readonly kind: 'group'; readonly id: number; readonly types: readonly number[] }
  | { readonly kind: 'identified-group'; readonly identity: GroupIdentity };

/** @param types of groups that can be members now */
export function wantedEntity({ member_user: user, member_group: group }: ProjectMember, types: readonly number[]): WantedEntity {
  const wantsUser = (user?.user_id ?? 0) > 0 || (user?.username ?? '') !== '';
  if (group !== undefined && group !== null) {
    if (wantsUser) throw new Problem('BAD_REQUEST', 'a member is a user or a group; send member_user or member_group');
    return wantedGroup(group, types);
  }
  if (!wantsUser) throw new Problem('BAD_REQUEST', 'member_user needs a user_id or a username');
  return { kind: 'user', id: (user?.user_id ?? 0) > 0 ? user?.user_id : undefined, username: user?.username };
}

function wantedGroup(group: UserGroupReq, types: readonly number[]): WantedEntity {
  if (group.id !== undefined && group.id > 0) return { kind: 'group', id: group.id, types };
  const dn = group.ldap_group_dn ?? '';
  const identity = identityOf(dn === '' ? group : { ...group, group_type: group.group_type ?? LDAP, group_name: nameOf(group, dn) });
  requireType(identity.type, types);
  return { kind: 'identified-group', identity };
}

/** A group that is named by its DN alone is called as its directory calls it there. */
function nameOf({ group_name: name = '' }: UserGroupReq, dn: string): string {
  requiredDnKey(dn);
  return name === '' ? dn.slice(0, 255).trim() : name;
}

function requireType(type: number, types: readonly number[]): void {
  if (!types.includes(type)) throw new Problem('BAD_REQUEST', `member_group: nobody can come with a group of type ${type}, because of how people log in here; choose one of type ${types.join(' or ')}`);
}

/** The user or group, held so that it is not deleted meanwhile. */
export async function holdEntity(transaction: Transaction, caller: Caller, wanted: WantedEntity): Promise<Entity> {
  if (wanted.kind === 'user') {
    const user = await lockUser(transaction, wanted);
    if (user === undefined) throw new Problem('NOT_FOUND', 'there is no such user');
    return { kind: 'user', id: user.id, name: user.username };
  }
  if (wanted.kind === 'identified-group') return entityOf(await known(transaction, caller, wanted.identity));
  const group = await holdGroup(transaction, wanted.id);
  if (group === undefined) throw new Problem('NOT_FOUND', 'there is no such group');
  requireType(group.type, wanted.types);
  return entityOf(group);
}

/** Those who may make groups can name one that is not known yet; it is made then. */
async function known(transaction: Transaction, caller: Caller, identity: GroupIdentity): Promise<GroupRow> {
  const group = await holdIdentified(transaction, identity);
  if (group !== undefined) return group;
  if (!canOnSystem(caller, 'create', 'user-group')) throw new Problem('FORBIDDEN', 'this group is not known here yet; ask a system administrator to make it known');
  const id = await insertGroup(transaction, identity);
  if (id === undefined) throw new Problem('CONFLICT', 'the group was made known by somebody else just now; send the request again');
  await auditGroup(transaction, caller, 'create', identity.name);
  return { id, name: identity.name, type: identity.type, dn: identity.dn };
}

function entityOf({ id, name }: GroupRow): Entity {
  return { kind: 'group', id, name };
}
