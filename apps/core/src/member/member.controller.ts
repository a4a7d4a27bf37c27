import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, MemberListQuery, ProjectMember, ProjectMemberEntity, RoleRequest, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { MemberService } from './member.service.js';

@Controller('api/v2.0/projects/:project_name_or_id/members')
export class MemberController {
  constructor(private readonly members: MemberService) {}

  @Get()
  @Operation({ id: 'listProjectMembers', tag: 'member', summary: 'List the members of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('member', 'list'))
  @RespondsPageOf(ProjectMemberEntity)
  list(@ProjectParam() project: KnownProject, @Query({ schema: MemberListQuery }) query: MemberListQuery): Promise<Page<ProjectMemberEntity>> {
    return this.members.list(project, query);
  }

  @Post()
  @Operation({ id: 'createProjectMember', tag: 'member', summary: 'Add a member to a project', refuses: ['NOT_FOUND', 'CONFLICT'], audits: { operation: 'create', resourceType: 'member' } })
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
  @Operation({ id: 'getProjectMember', tag: 'member', summary: 'One member of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('member', 'read'))
  @Responds(ProjectMemberEntity)
  get(@ProjectParam() project: KnownProject, @Param('mid', { schema: Id }) id: number): Promise<ProjectMemberEntity> {
    return this.members.get(project, id);
  }

  @Put(':mid')
  @Operation({ id: 'updateProjectMember', tag: 'member', summary: 'Give a member another role', refuses: ['NOT_FOUND'], audits: { operation: 'update', resourceType: 'member' } })
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
  @Operation({ id: 'deleteProjectMember', tag: 'member', summary: 'Remove a member from a project', refuses: ['NOT_FOUND'], audits: { operation: 'delete', resourceType: 'member' } })
  @Requires(projectPermission('member', 'delete'))
  @RespondsNothing()
  remove(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('mid', { schema: Id }) id: number): Promise<void> {
    return this.members.remove(project, caller, id);
  }
}
