import { Body, Controller, Delete, Get, Head, Headers, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, Project, ProjectDeletable, ProjectHeadQuery, ProjectListQuery, ProjectReq, ProjectSummary, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { anyone, authenticated, projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { ProjectChangeService } from './project-change.service.js';
import { ProjectService } from './project.service.js';

const ONE = ':project_name_or_id';

@Controller('api/v2.0/projects')
export class ProjectController {
  constructor(
    private readonly projects: ProjectService,
    private readonly changes: ProjectChangeService,
  ) {}

  @Get()
  @Operation({ id: 'listProjects', tag: 'project', summary: 'List the projects that the caller may see' })
  @Requires(anyone)
  @RespondsPageOf(Project)
  list(@CallerParam() caller: Caller, @Query({ schema: ProjectListQuery }) query: ProjectListQuery): Promise<Page<Project>> {
    return this.projects.list(caller, query);
  }

  @Head()
  @Operation({ id: 'headProject', tag: 'project', summary: 'Whether there is a project of this name', refuses: ['NOT_FOUND'] })
  @Requires(authenticated)
  @RespondsNothing()
  async exists(@Query({ schema: ProjectHeadQuery }) query: ProjectHeadQuery): Promise<void> {
    if (!(await this.projects.exists(query.project_name))) throw new Problem('NOT_FOUND', 'there is no such project');
  }

  @Post()
  @Operation({ id: 'createProject', tag: 'project', summary: 'Make a project', refuses: ['CONFLICT'], audits: { operation: 'create', resourceType: 'project' } })
  @HttpCode(201)
  @Requires(authenticated)
  @RespondsNothing()
  async create(
    @CallerParam() caller: Caller,
    @Body({ schema: ProjectReq }) request: ProjectReq,
    @Headers('x-resource-name-in-location') nameInLocation: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.changes.create(caller, request);
    reply.header('Location', `/api/v2.0/projects/${nameInLocation === 'true' ? request.project_name : id}`);
  }

  @Get(ONE)
  @Operation({ id: 'getProject', tag: 'project', summary: 'One project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('project', 'read'))
  @Responds(Project)
  get(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller): Promise<Project> {
    return this.projects.get(project, caller);
  }

  @Put(ONE)
  @Operation({ id: 'updateProject', tag: 'project', summary: 'Change the settings of a project', refuses: ['NOT_FOUND'], audits: { operation: 'update', resourceType: 'project' } })
  @Requires(projectPermission('project', 'update'))
  @RespondsNothing()
  update(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Body({ schema: ProjectReq }) request: ProjectReq): Promise<void> {
    return this.changes.update(project, caller, request);
  }

  @Delete(ONE)
  @Operation({ id: 'deleteProject', tag: 'project', summary: 'Delete an empty project', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'delete', resourceType: 'project' } })
  @Requires(projectPermission('project', 'delete'))
  @RespondsNothing()
  delete(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller): Promise<void> {
    return this.changes.delete(project, caller);
  }

  @Get(`${ONE}/_deletable`)
  @Operation({ id: 'getProjectDeletable', tag: 'project', summary: 'Whether a project can be deleted now', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('project', 'delete'))
  @Responds(ProjectDeletable)
  deletable(@ProjectParam() project: KnownProject): Promise<ProjectDeletable> {
    return this.projects.deletable(project);
  }

  @Get(`${ONE}/summary`)
  @Operation({ id: 'getProjectSummary', tag: 'project', summary: 'What a project holds, and how much of its quota is used', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('project', 'read'))
  @Responds(ProjectSummary)
  summary(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller): Promise<ProjectSummary> {
    return this.projects.summary(project, caller);
  }
}
