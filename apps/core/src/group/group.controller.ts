import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, UserGroup, UserGroupListQuery, UserGroupReq, UserGroupSearchItem, UserGroupSearchQuery, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated, systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { GroupService } from './group.service.js';

const GROUPS = 'api/v2.0/usergroups';

@Controller(GROUPS)
export class GroupController {
  constructor(private readonly groups: GroupService) {}

  @Get()
  @Operation({ id: 'listUserGroups', tag: 'usergroup', summary: 'List the groups of the kind that people log in with' })
  @Requires(systemPermission('user-group', 'list'))
  @RespondsPageOf(UserGroup)
  list(@Query({ schema: UserGroupListQuery }) query: UserGroupListQuery): Promise<Page<UserGroup>> {
    return this.groups.list(query);
  }

  @Post()
  @Operation({ id: 'createUserGroup', tag: 'usergroup', summary: 'Make a group known', refuses: ['CONFLICT'], audits: { operation: 'create', resourceType: 'user_group' } })
  @HttpCode(201)
  @Requires(systemPermission('user-group', 'create'))
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: UserGroupReq }) request: UserGroupReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.header('Location', `/${GROUPS}/${await this.groups.create(caller, request)}`);
  }

  @Get('search')
  @Operation({ id: 'searchUserGroups', tag: 'usergroup', summary: 'Find groups by a part of their name', refuses: ['CONFLICT'] })
  @Requires(authenticated)
  @RespondsPageOf(UserGroupSearchItem)
  search(@Query({ schema: UserGroupSearchQuery }) query: UserGroupSearchQuery): Promise<Page<UserGroupSearchItem>> {
    return this.groups.search(query);
  }

  @Get(':group_id')
  @Operation({ id: 'getUserGroup', tag: 'usergroup', summary: 'One group', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('user-group', 'read'))
  @Responds(UserGroup)
  get(@Param('group_id', { schema: Id }) id: number): Promise<UserGroup> {
    return this.groups.get(id);
  }

  @Put(':group_id')
  @Operation({ id: 'updateUserGroup', tag: 'usergroup', summary: 'Rename a group', refuses: ['NOT_FOUND', 'CONFLICT'], audits: { operation: 'update', resourceType: 'user_group' } })
  @Requires(systemPermission('user-group', 'update'))
  @RespondsNothing()
  rename(@CallerParam() caller: Caller, @Param('group_id', { schema: Id }) id: number, @Body({ schema: UserGroupReq }) request: UserGroupReq): Promise<void> {
    return this.groups.rename(caller, id, request);
  }

  @Delete(':group_id')
  @Operation({ id: 'deleteUserGroup', tag: 'usergroup', summary: 'Delete a group with its memberships', refuses: ['NOT_FOUND'], audits: { operation: 'delete', resourceType: 'user_group' } })
  @Requires(systemPermission('user-group', 'delete'))
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('group_id', { schema: Id }) id: number): Promise<void> {
    return this.groups.delete(caller, id);
  }
}
