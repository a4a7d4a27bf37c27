import { z } from 'zod';
import { text } from './fields.js';
import { UserGroupReq } from './group.js';
import { pageParameters } from './paging.js';

/** Body of POST /projects/{p}/members. An id of 0 is none. */
export const ProjectMember = z.object({
  role_id: z.number().int(),
  member_user: z.object({
    user_id: z.number().int().min(0).max(2_147_483_647).optional(),
    username: text(255).optional(),
  }).nullable().optional(),
  member_group: UserGroupReq.nullable().optional(),
}).meta({ id: 'ProjectMember' });
export type ProjectMember = z.infer<typeof ProjectMember>;

/** Body of PUT /projects/{p}/members/{mid}. */
export const RoleRequest = z.object({ role_id: z.number().int() }).meta({ id: 'RoleRequest' });
export type RoleRequest = z.infer<typeof RoleRequest>;

/** `entity_type` is u for a user, g for a group. */
export const ProjectMemberEntity = z.object({
  id: z.number().int(),
  project_id: z.number().int(),
  entity_name: z.string(),
  role_name: z.string(),
  role_id: z.number().int(),
  entity_id: z.number().int(),
  entity_type: z.enum(['u', 'g']),
}).meta({ id: 'ProjectMemberEntity' });
export type ProjectMemberEntity = z.infer<typeof ProjectMemberEntity>;

export const MemberListQuery = z.object({ ...pageParameters, entityname: text(255).optional() }).meta({ id: 'MemberListQuery' });
export type MemberListQuery = z.infer<typeof MemberListQuery>;
