import { z } from 'zod';
import { text } from './fields.js';
import { pageParameters } from './paging.js';

const LONGEST_ID = 2_147_483_647;

/** Body of POST and PUT /usergroups, and how a member of a project names a group. `group_type`: 1 LDAP, 2 HTTP, 3 OIDC. */
export const UserGroupReq = z.object({
  id: z.number().int().min(0).max(LONGEST_ID).optional(),
  group_name: text(255).optional(),
  group_type: z.number().int().optional(),
  ldap_group_dn: text(1024).optional(),
}).meta({ id: 'UserGroupReq' });
export type UserGroupReq = z.infer<typeof UserGroupReq>;

export const UserGroup = z.object({
  id: z.number().int(),
  group_name: z.string(),
  group_type: z.number().int(),
  ldap_group_dn: z.string().optional(),
}).meta({ id: 'UserGroup' });
export type UserGroup = z.infer<typeof UserGroup>;

export const UserGroupSearchItem = z.object({ id: z.number().int(), group_name: z.string(), group_type: z.number().int() }).meta({ id: 'UserGroupSearchItem' });
export type UserGroupSearchItem = z.infer<typeof UserGroupSearchItem>;

/** `group_name` is a part of the name; `ldap_group_dn` is the whole DN, however it is spelled. */
export const UserGroupListQuery = z.object({
  ...pageParameters,
  ldap_group_dn: text(1024).optional(),
  group_name: text(255).optional(),
}).meta({ id: 'UserGroupListQuery' });
export type UserGroupListQuery = z.infer<typeof UserGroupListQuery>;

export const UserGroupSearchQuery = z.object({ ...pageParameters, groupname: text(255).min(1) }).meta({ id: 'UserGroupSearchQuery' });
export type UserGroupSearchQuery = z.infer<typeof UserGroupSearchQuery>;
