import { Body, Controller, Delete, Get, HttpCode, Ip, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ListQuery, Robot, RobotCreate, RobotCreated, RobotSec, RobotUpdate, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { RobotService } from './robot.service.js';
import { RobotUpdateService } from './robot-update.service.js';
import { RobotViewService } from './robot-view.service.js';

const ROBOTS = 'api/v2.0/robots';

/** Who may do what depends on where a robot belongs, so the services decide. */
@Controller(ROBOTS)
export class RobotController {
  constructor(
    private readonly view: RobotViewService,
    private readonly robots: RobotService,
    private readonly updates: RobotUpdateService,
  ) {}

  @Get()
  @Operation({ id: 'ListRobot', tag: 'robot', summary: 'List the robots of the system, or of a project with q=Level=project,ProjectID=…', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @RespondsPageOf(Robot)
  list(@CallerParam() caller: Caller, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<Robot>> {
    return this.view.list(caller, query);
  }

  @Post()
  @Operation({ id: 'CreateRobot', tag: 'robot', summary: 'Make a robot; the answer has its secret', refuses: ['FORBIDDEN', 'DENIED', 'NOT_FOUND', 'CONFLICT'], audits: { operation: 'create', resourceType: 'robot' } })
  @HttpCode(201)
  @Requires(authenticated)
  @Responds(RobotCreated)
  async create(@CallerParam() caller: Caller, @Body({ schema: RobotCreate }) request: RobotCreate, @Res({ passthrough: true }) reply: FastifyReply): Promise<RobotCreated> {
    const robot = await this.robots.create(caller, request);
    reply.header('Location', `/${ROBOTS}/${robot.id}`);
    return robot;
  }

  @Get(':robot_id')
  @Operation({ id: 'GetRobotByID', tag: 'robot', summary: 'One robot', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @Responds(Robot)
  get(@CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number): Promise<Robot> {
    return this.view.get(caller, id);
  }

  @Put(':robot_id')
  @Operation({ id: 'UpdateRobot', tag: 'robot', summary: 'Change what a robot may do, for how long, and whether it is disabled', refuses: ['FORBIDDEN', 'DENIED', 'NOT_FOUND', 'CONFLICT'], audits: { operation: 'update', resourceType: 'robot' } })
  @Requires(authenticated)
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number, @Body({ schema: RobotUpdate }) request: RobotUpdate): Promise<void> {
    return this.updates.update(caller, id, request);
  }

  @Patch(':robot_id')
  @Operation({ id: 'RefreshSec', tag: 'robot', summary: 'Give a robot another secret', refuses: ['FORBIDDEN', 'NOT_FOUND', 'TOO_MANY_REQUEST'], audits: { operation: 'update', resourceType: 'robot' } })
  @Requires(authenticated)
  @Responds(RobotSec)
  async refresh(@CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number, @Body({ schema: RobotSec }) { secret = '' }: RobotSec, @Ip() address: string): Promise<RobotSec> {
    return { secret: await this.robots.refresh(caller, id, secret, address) };
  }

  @Delete(':robot_id')
  @Operation({ id: 'DeleteRobot', tag: 'robot', summary: 'Delete a robot', refuses: ['FORBIDDEN', 'NOT_FOUND'], audits: { operation: 'delete', resourceType: 'robot' } })
  @Requires(authenticated)
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('robot_id', { schema: Id }) id: number): Promise<void> {
    return this.robots.delete(caller, id);
  }
}
