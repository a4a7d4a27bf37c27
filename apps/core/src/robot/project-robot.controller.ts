import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ListQuery, Robot, RobotCreated, RobotCreateV1, RobotUpdate, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { ProjectRobotService } from './project-robot.service.js';
import { RobotService } from './robot.service.js';
import { RobotUpdateService } from './robot-update.service.js';
import { RobotViewService } from './robot-view.service.js';

/** The older addresses of the robots of a project. */
@Controller('api/v2.0/projects/:project_name_or_id/robots')
export class ProjectRobotController {
  constructor(
    private readonly view: RobotViewService,
    private readonly robots: RobotService,
    private readonly updates: RobotUpdateService,
    private readonly older: ProjectRobotService,
  ) {}

  @Get()
  @Operation({ id: 'ListRobotV1', tag: 'robotv1', summary: 'List the robots of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('robot', 'list'))
  @RespondsPageOf(Robot)
  list(@ProjectParam() project: KnownProject, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<Robot>> {
    return this.view.ofProject(project, query);
  }

  @Post()
  @Operation({ id: 'CreateRobotV1', tag: 'robotv1', summary: 'Make a robot of a project; the answer has its secret', refuses: ['DENIED', 'NOT_FOUND', 'CONFLICT'], audits: { operation: 'create', resourceType: 'robot' } })
  @HttpCode(201)
  @Requires(projectPermission('robot', 'create'))
  @Responds(RobotCreated)
  async create(
    @ProjectParam() project: KnownProject,
    @CallerParam() caller: Caller,
    @Body({ schema: RobotCreateV1 }) request: RobotCreateV1,
    @Param('project_name_or_id') named: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RobotCreated> {
    const robot = await this.older.create(caller, project, request);
    reply.header('Location', `/api/v2.0/projects/${encodeURIComponent(named)}/robots/${robot.id}`);
    return robot;
  }

  @Get(':robot_id')
  @Operation({ id: 'GetRobotByIDV1', tag: 'robotv1', summary: 'One robot of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('robot', 'read'))
  @Responds(Robot)
  get(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number): Promise<Robot> {
    return this.view.get(caller, id, project);
  }

  @Put(':robot_id')
  @Operation({ id: 'UpdateRobotV1', tag: 'robotv1', summary: 'Change a robot of a project', refuses: ['DENIED', 'NOT_FOUND', 'CONFLICT'], audits: { operation: 'update', resourceType: 'robot' } })
  @Requires(projectPermission('robot', 'update'))
  @RespondsNothing()
  update(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number, @Body({ schema: RobotUpdate }) request: RobotUpdate): Promise<void> {
    return this.updates.update(caller, id, request, project);
  }

  @Delete(':robot_id')
  @Operation({ id: 'DeleteRobotV1', tag: 'robotv1', summary: 'Delete a robot of a project', refuses: ['NOT_FOUND'], audits: { operation: 'delete', resourceType: 'robot' } })
  @Requires(projectPermission('robot', 'delete'))
  @RespondsNothing()
  delete(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number): Promise<void> {
    return this.robots.delete(caller, id, project);
  }
}
