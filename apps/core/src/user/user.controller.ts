import { Body, Controller, Delete, Get, HttpCode, Ip, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import {
  Id, ListQuery, OIDCCliSecretReq, PasswordReq, Permission, PermissionQuery, Problem, UserCreationReq, UserProfile, UserResp, UserSearchQuery, UserSearchRespItem, UserSysAdminFlag,
  type Page,
} from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated, selfOr, systemPermission, systemPermissionOrRegistration } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { CurrentPermissionService } from '../permission/current-permission.service.js';
import { BrowserService } from '../session/browser.service.js';
import { CliSecretService } from './cli-secret.service.js';
import { PasswordChangeService } from './password-change.service.js';
import { UserService } from './user.service.js';

@Controller('api/v2.0/users')
export class UserController {
  constructor(
    private readonly users: UserService,
    private readonly passwords: PasswordChangeService,
    private readonly permissions: CurrentPermissionService,
    private readonly cliSecrets: CliSecretService,
    private readonly browsers: BrowserService,
  ) {}

  @Get()
  @Operation({ id: 'listUsers', tag: 'user', summary: 'List the users' })
  @Requires(systemPermission('user', 'list'))
  @RespondsPageOf(UserResp)
  list(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<UserResp>> {
    return this.users.list(query);
  }

  @Post()
  @Operation({ id: 'createUser', tag: 'user', summary: 'Make a local account', refuses: ['CONFLICT'], audits: { operation: 'create', resourceType: 'user' } })
  @HttpCode(201)
  @Requires(systemPermissionOrRegistration('user', 'create'))
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
  @Operation({ id: 'searchUsers', tag: 'user', summary: 'Find users by a part of their name' })
  @Requires(authenticated)
  @RespondsPageOf(UserSearchRespItem)
  search(@Query({ schema: UserSearchQuery }) query: UserSearchQuery): Promise<Page<UserSearchRespItem>> {
    return this.users.search(query);
  }

  @Get('current')
  @Operation({ id: 'getCurrentUserInfo', tag: 'user', summary: 'The account of the caller', refuses: ['PRECONDITION'] })
  @Requires(authenticated)
  @Responds(UserResp)
  async current(@CallerParam() { subject }: Caller, @Req() { session }: FastifyRequest): Promise<UserResp> {
    if (subject.kind !== 'user') throw new Problem('PRECONDITION', 'only users have a profile');
    const [user, provider] = await Promise.all([this.users.get(subject.id), this.cliSecrets.describe(subject.id, session !== undefined)]);
    return { ...user, ...provider };
  }

  @Get('current/permissions')
  @Operation({ id: 'getCurrentUserPermissions', tag: 'user', summary: 'What the caller may do' })
  @Requires(authenticated)
  @Responds(z.array(Permission))
  currentPermissions(@CallerParam() caller: Caller, @Query({ schema: PermissionQuery }) query: PermissionQuery): Promise<Permission[]> {
    return this.permissions.list(caller, query);
  }

  @Get(':user_id')
  @Operation({ id: 'getUser', tag: 'user', summary: 'One user', refuses: ['NOT_FOUND'] })
  @Requires(selfOr('user', 'read'))
  @Responds(UserResp)
  get(@Param('user_id', { schema: Id }) id: number): Promise<UserResp> {
    return this.users.get(id);
  }

  @Put(':user_id')
  @Operation({ id: 'updateUserProfile', tag: 'user', summary: 'Change the profile of a user', refuses: ['NOT_FOUND', 'CONFLICT'], audits: { operation: 'update', resourceType: 'user' } })
  @Requires(selfOr('user', 'update'))
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number, @Body({ schema: UserProfile }) profile: UserProfile): Promise<void> {
    return this.users.updateProfile(caller, id, profile);
  }

  @Delete(':user_id')
  @Operation({ id: 'deleteUser', tag: 'user', summary: 'Delete a user', refuses: ['NOT_FOUND'], audits: { operation: 'delete', resourceType: 'user' } })
  @Requires(systemPermission('user', 'delete'))
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number): Promise<void> {
    return this.users.delete(caller, id);
  }

  @Put(':user_id/sysadmin')
  @Operation({ id: 'setUserSysAdmin', tag: 'user', summary: 'Make a user a system administrator, or no longer one', refuses: ['NOT_FOUND'], audits: { operation: 'update', resourceType: 'user' } })
  @Requires(systemPermission('user', 'update'))
  @RespondsNothing()
  setSysadmin(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number, @Body({ schema: UserSysAdminFlag }) request: UserSysAdminFlag): Promise<void> {
    return this.users.setSysadmin(caller, id, request.sysadmin_flag);
  }

  @Put(':user_id/password')
  @Operation({ id: 'updateUserPassword', tag: 'user', summary: 'Change the password of a user', refuses: ['NOT_FOUND', 'PRECONDITION', 'CONFLICT', 'TOO_MANY_REQUEST'], audits: { operation: 'update', resourceType: 'user' } })
  @Requires(selfOr('user', 'update'))
  @RespondsNothing()
  async changePassword(
    @CallerParam() caller: Caller,
    @Param('user_id', { schema: Id }) id: number,
    @Body({ schema: PasswordReq }) change: PasswordReq,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const restarted = await this.passwords.change(caller, id, change, { address: request.ip, session: request.session });
    if (restarted !== undefined) this.browsers.remember(request, reply, restarted);
  }

  @Put(':user_id/cli_secret')
  @Operation({ id: 'setCliSecret', tag: 'user', summary: 'Set what a user of OpenID Connect logs in with on the command line; an empty secret has a new one made', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'update', resourceType: 'user' } })
  @Requires(selfOr('user', 'update'))
  @RespondsNothing()
  changeCliSecret(@CallerParam() caller: Caller, @Param('user_id', { schema: Id }) id: number, @Body({ schema: OIDCCliSecretReq }) { secret }: OIDCCliSecretReq): Promise<void> {
    return this.cliSecrets.change(caller, id, secret);
  }
}
