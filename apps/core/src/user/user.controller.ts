import { Body, Controller, Delete, Get, HttpCode, Ip, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import {
  Id, ListQuery, PasswordReq, Permission, PermissionQuery, Problem, UserCreationReq, UserProfile, UserResp, UserSearchQuery, UserSearchRespItem, UserSysAdminFlag,
  type Page,
} from '@haven/api';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated, selfOr, systemPermission } from '../authorization/requirement.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { PasswordChangeService } from './password-change.service.js';
import { PermissionService } from './permission.service.js';
import { UserService } from './user.service.js';

@Controller('api/v2.0/users')
export class UserController {
  constructor(
    private readonly users: UserService,
    private readonly passwords: PasswordChangeService,
    private readonly permissions: PermissionService,
  ) {}

  @Get()
  @Requires(systemPermission('user', 'list'))
  @RespondsPageOf(UserResp)
  list(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<UserResp>> {
    return this.users.list(query);
  }

  @Post()
  @HttpCode(201)
  @Requires(systemPermission('user', 'create'))
  @RespondsNothing()
  async create(
    @CallerParam() caller: Caller,
    @Body({ schema: UserCreationReq }) request: UserCreationReq,
    @Ip() address: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    reply.header('Location', `/api/v2.0/users/${await this.users.create(caller, request, address)}`);
  }

  @Get('search')
  @Requires(authenticated)
  @RespondsPageOf(UserSearchRespItem)
  search(@Query({ schema: UserSearchQuery }) query: UserSearchQuery): Promise<Page<UserSearchRespItem>> {
    return this.users.search(query);
  }

  @Get('current')
  @Requires(authenticated)
  @Responds(UserResp)
  current(@CallerParam() { subject }: Caller): Promise<UserResp> {
    if (subject.kind !== 'user') throw new Problem('NOT_FOUND', 'only users have a profile');
    return this.users.get(subject.id);
  }

  @Get('current/permissions')
  @Requires(authenticated)
  @Responds(z.array(Permission))
  currentPermissions(@CallerParam() caller: Caller, @Query({ schema: PermissionQuery }) query: PermissionQuery): Promise<Permission[]> {
    return this.permissions.list(caller, query);
  }

  @Get(':user_id')
  @Requires(selfOr('user', 'read'))
  @Responds(UserResp)
  get(@Param('user_id', { schema: Id }) id: number): Promise<UserResp> {
    return this.users.get(id);
  }

  @Put(':user_id')
  @Requires(selfOr('user', 'update'))
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number, @Body({ schema: UserProfile }) profile: UserProfile): Promise<void> {
    return this.users.updateProfile(caller, id, profile);
  }

  @Delete(':user_id')
  @Requires(systemPermission('user', 'delete'))
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number): Promise<void> {
    return this.users.delete(caller, id);
  }

  @Put(':user_id/sysadmin')
  @Requires(systemPermission('user', 'update'))
  @RespondsNothing()
  setSysadmin(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number, @Body({ schema: UserSysAdminFlag }) request: UserSysAdminFlag): Promise<void> {
    return this.users.setSysadmin(caller, id, request.sysadmin_flag);
  }

  @Put(':user_id/password')
  @Requires(selfOr('user', 'update'))
  @RespondsNothing()
  changePassword(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number, @Body({ schema: PasswordReq }) request: PasswordReq, @Ip() address: string): Promise<void> {
    return this.passwords.change(caller, id, request, address);
  }
}
