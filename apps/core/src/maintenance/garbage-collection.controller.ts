import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { GCHistory, ListQuery, LongId, MaintenanceScheduleReq, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { WorksWhileReadOnly } from '../configuration/read-only.guard.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { readGarbageParameters } from './maintenance-parameters.js';
import { MaintenanceService, type MaintenanceKind } from './maintenance.service.js';

const RESOURCE = 'garbage_collection';
const KIND: MaintenanceKind = { type: 'GARBAGE_COLLECTION', resourceType: RESOURCE, words: 'garbage collection' };

@Controller('api/v2.0/system/gc')
export class GarbageCollectionController {
  constructor(private readonly maintenance: MaintenanceService) {}

  @Get()
  @Operation({ id: 'getGCHistory', tag: 'gc', summary: 'List garbage collections, the latest first' })
  @Requires(systemPermission('garbage-collection', 'list'))
  @RespondsPageOf(GCHistory)
  list(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<GCHistory>> {
    return this.maintenance.list(KIND, query);
  }

  @Get('schedule')
  @Operation({ id: 'getGCSchedule', tag: 'gc', summary: 'When garbage is collected; without a schedule, every hour that there is something to collect' })
  @Requires(systemPermission('garbage-collection', 'read'))
  @Responds(GCHistory)
  schedule(): Promise<GCHistory> {
    return this.maintenance.schedule(KIND);
  }

  @Post('schedule')
  @Operation({
    id: 'createGCSchedule', tag: 'gc', summary: 'Set when garbage is collected, or collect it now (type Manual)', refuses: ['CONFLICT'], audits: { operation: 'create', resourceType: RESOURCE },
  })
  @HttpCode(201)
  @Requires(systemPermission('garbage-collection', 'create'))
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: MaintenanceScheduleReq }) request: MaintenanceScheduleReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const id = await this.maintenance.apply(caller, KIND, 'create', request, readGarbageParameters);
    if (id !== undefined) reply.header('Location', `/api/v2.0/system/gc/${id}`);
  }

  @Put('schedule')
  @Operation({ id: 'updateGCSchedule', tag: 'gc', summary: 'Change when garbage is collected, or collect it now (type Manual)', audits: { operation: 'update', resourceType: RESOURCE } })
  @Requires(systemPermission('garbage-collection', 'update'))
  @RespondsNothing()
  async update(@CallerParam() caller: Caller, @Body({ schema: MaintenanceScheduleReq }) request: MaintenanceScheduleReq): Promise<void> {
    await this.maintenance.apply(caller, KIND, 'update', request, readGarbageParameters);
  }

  @Get(':gc_id')
  @Operation({ id: 'getGC', tag: 'gc', summary: 'What a garbage collection was asked to do, and did so far', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('garbage-collection', 'read'))
  @Responds(GCHistory)
  get(@Param('gc_id', { schema: LongId }) id: number): Promise<GCHistory> {
    return this.maintenance.get(KIND, id);
  }

  @Put(':gc_id')
  @Operation({ id: 'stopGC', tag: 'gc', summary: 'Stop a garbage collection', refuses: ['NOT_FOUND'], audits: { operation: 'stop', resourceType: RESOURCE } })
  @Requires(systemPermission('garbage-collection', 'stop'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  stop(@CallerParam() caller: Caller, @Param('gc_id', { schema: LongId }) id: number): Promise<void> {
    return this.maintenance.stop(caller, KIND, id);
  }

  @Get(':gc_id/log')
  @Operation({ id: 'getGCLog', tag: 'gc', summary: 'What a garbage collection wrote down: what it freed, what stays and why, what failed', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('garbage-collection', 'read'))
  @RespondsText()
  log(@Param('gc_id', { schema: LongId }) id: number): Promise<TextAnswer> {
    return this.maintenance.log(KIND, id);
  }
}
