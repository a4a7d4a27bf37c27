import { z } from 'zod';
import { Flag, text, Timestamp } from './fields.js';
import { pageParameters } from './paging.js';

/** Body of POST /users. What makes a good name or password is checked, and explained, by the service. */
export const UserCreationReq = z.object({
  username: text(255),
  email: text(255).optional(),
  realname: text(255).optional(),
  comment: text(255).optional(),
  password: z.string().max(1024),
}).meta({ id: 'UserCreationReq' });
export type UserCreationReq = z.infer<typeof UserCreationReq>;

/** Body of PUT /users/{id}: what is left out stays as it is. */
export const UserProfile = z.object({
  email: text(255).optional(),
  realname: text(255).optional(),
  comment: text(255).optional(),
}).meta({ id: 'UserProfile' });
export type UserProfile = z.infer<typeof UserProfile>;

export const PasswordReq = z.object({
  old_password: z.string().max(1024).nullable().optional(),
  new_password: z.string().max(1024),
}).meta({ id: 'PasswordReq' });
export type PasswordReq = z.infer<typeof PasswordReq>;

export const UserSysAdminFlag = z.object({ sysadmin_flag: z.boolean() }).meta({ id: 'UserSysAdminFlag' });
export type UserSysAdminFlag = z.infer<typeof UserSysAdminFlag>;

/** Body of PUT /users/{id}/cli_secret. */
export const OIDCCliSecretReq = z.object({ secret: z.string().max(1024) }).meta({ id: 'OIDCCliSecretReq' });
export type OIDCCliSecretReq = z.infer<typeof OIDCCliSecretReq>;

/** What ties an account to its OpenID Connect provider. `secret` is shown to its owner only. */
const OIDCUserInfo = z.object({
  id: z.number().int(),
  user_id: z.number().int(),
  subiss: z.string(),
  secret: z.string().optional(),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'OIDCUserInfo' });

export const UserResp = z.object({
  user_id: z.number().int(),
  username: z.string(),
  email: z.string(),
  realname: z.string(),
  comment: z.string(),
  sysadmin_flag: z.boolean(),
  admin_role_in_auth: z.boolean(),
  /** Only for accounts of OpenID Connect. */
  oidc_user_meta: OIDCUserInfo.optional(),
  creation_time: Timestamp,
  update_time: Timestamp,
  /** To the hour for clients with a password; missing for who has never logged in. Not in the Harbor API. */
  last_login_time: Timestamp.optional(),
}).meta({ id: 'UserResp' });
export type UserResp = z.infer<typeof UserResp>;

export const UserSearchRespItem = z.object({ user_id: z.number().int(), username: z.string() }).meta({ id: 'UserSearchRespItem' });
export type UserSearchRespItem = z.infer<typeof UserSearchRespItem>;

/** `username` is how the name begins. */
export const UserSearchQuery = z.object({ ...pageParameters, username: text(255).min(1) }).meta({ id: 'UserSearchQuery' });
export type UserSearchQuery = z.infer<typeof UserSearchQuery>;

/** `scope` names a project (/project/7) or the system (/system); `relative` cuts it off the resources in the answer. */
export const PermissionQuery = z.object({
  scope: text(255).optional(),
  relative: Flag.optional(),
}).meta({ id: 'PermissionQuery' });
export type PermissionQuery = z.infer<typeof PermissionQuery>;

export const Permission = z.object({ resource: z.string(), action: z.string() }).meta({ id: 'Permission' });
export type Permission = z.infer<typeof Permission>;

/** What can be given to robots; `system` only for those who can make robots of the system. */
export const Permissions = z.object({ system: z.array(Permission).optional(), project: z.array(Permission).optional() }).meta({ id: 'Permissions' });
export type Permissions = z.infer<typeof Permissions>;
