import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, MemberListQuery, ProjectMember, ProjectMemberEntity, RoleRequest, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { MemberService } from './member.service.js';

@Controller('api/v2.0/projects/:project_name_or_id/members')
export class MemberController {
  constructor(private readonly members: MemberService) {}

  @Get()
  @Requires(projectPermission('member', 'list'))
  @RespondsPageOf(ProjectMemberEntity)
  list(@ProjectParam() project: KnownProject, @Query({ schema: MemberListQuery }) query: MemberListQuery): Promise<Page<ProjectMemberEntity>> {
    return this.members.list(project, query);
  }

  @Post()
  @HttpCode(201)
  @Requires(projectPermission('member', 'create'))
  @RespondsNothing()
  async add(
    @ProjectParam() project: KnownProject,
    @CallerParam() caller: Caller,
    @Body({ schema: ProjectMember }) request: ProjectMember,
    @Param('project_name_or_id') named: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.members.add(project, caller, request);
    reply.header('Location', `/api/v2.0/projects/${encodeURIComponent(named)}/members/${id}`);
  }

  @Get(':mid')
  @Requires(projectPermission('member', 'read'))
  @Responds(ProjectMemberEntity)
  get(@ProjectParam() project: KnownProject, @Param('mid', { schema: Id }) id: number): Promise<ProjectMemberEntity> {
    return this.members.get(project, id);
  }

  @Put(':mid')
  @Requires(projectPermission('member', 'update'))
  @RespondsNothing()
  changeRole(
    @ProjectParam() project: KnownProject,
    @CallerParam() caller: Caller,
    @Param('mid', { schema: Id }) id: number,
    @Body({ schema: RoleRequest }) request: RoleRequest,
  ): Promise<void> {
    return this.members.changeRole(project, caller, id, request.role_id);
  }

  @Delete(':mid')
  @Requires(projectPermission('member', 'delete'))
  @RespondsNothing()
  remove(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('mid', { schema: Id }) id: number): Promise<void> {
    return this.members.remove(project, caller, id);
  }
}
