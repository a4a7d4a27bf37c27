import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { ExecHistory, ListQuery, LongId, MaintenanceScheduleReq, type Page } from '@haven/api';
import type { AuditPurgeParameters } from '@haven/execution';
import type { FastifyReply } from 'fastify';
import { AuditLogService } from '../audit/audit-log.service.js';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { WorksWhileReadOnly } from '../configuration/read-only.guard.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { readAuditPurgeParameters } from './maintenance-parameters.js';
import { MaintenanceService, type MaintenanceKind } from './maintenance.service.js';

const RESOURCE = 'purge_audit';
const KIND: MaintenanceKind = { type: 'PURGE_AUDIT_LOG', resourceType: RESOURCE, words: 'purge of the audit trail' };

@Controller('api/v2.0/system/purgeaudit')
export class AuditPurgeController {
  constructor(
    private readonly maintenance: MaintenanceService,
    private readonly logs: AuditLogService,
  ) {}

  @Get()
  @Operation({ id: 'getPurgeHistory', tag: 'purge', summary: 'List purges of the audit trail, the latest first' })
  @Requires(systemPermission('purge-audit', 'list'))
  @RespondsPageOf(ExecHistory)
  list(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<ExecHistory>> {
    return this.maintenance.list(KIND, query);
  }

  @Get('schedule')
  @Operation({ id: 'getPurgeSchedule', tag: 'purge', summary: 'When the audit trail is purged' })
  @Requires(systemPermission('purge-audit', 'read'))
  @Responds(ExecHistory)
  schedule(): Promise<ExecHistory> {
    return this.maintenance.schedule(KIND);
  }

  @Post('schedule')
  @Operation({ id: 'createPurgeSchedule', tag: 'purge', summary: 'Set when the audit trail is purged, or purge it now (type Manual)', audits: { operation: 'create', resourceType: RESOURCE } })
  @HttpCode(201)
  @Requires(systemPermission('purge-audit', 'create'))
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: MaintenanceScheduleReq }) request: MaintenanceScheduleReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const id = await this.maintenance.apply(caller, KIND, 'create', request, (given) => this.#read(given));
    if (id !== undefined) reply.header('Location', `/api/v2.0/system/purgeaudit/${id}`);
  }

  @Put('schedule')
  @Operation({ id: 'updatePurgeSchedule', tag: 'purge', summary: 'Change when the audit trail is purged, or purge it now (type Manual)', audits: { operation: 'update', resourceType: RESOURCE } })
  @Requires(systemPermission('purge-audit', 'update'))
  @RespondsNothing()
  async update(@CallerParam() caller: Caller, @Body({ schema: MaintenanceScheduleReq }) request: MaintenanceScheduleReq): Promise<void> {
    await this.maintenance.apply(caller, KIND, 'update', request, (given) => this.#read(given));
  }

  @Get(':purge_id')
  @Operation({ id: 'getPurgeJob', tag: 'purge', summary: 'What a purge of the audit trail was asked to do, and did so far', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('purge-audit', 'read'))
  @Responds(ExecHistory)
  get(@Param('purge_id', { schema: LongId }) id: number): Promise<ExecHistory> {
    return this.maintenance.get(KIND, id);
  }

  @Put(':purge_id')
  @Operation({ id: 'stopPurge', tag: 'purge', summary: 'Stop a purge of the audit trail', refuses: ['NOT_FOUND'], audits: { operation: 'stop', resourceType: RESOURCE } })
  @Requires(systemPermission('purge-audit', 'stop'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  stop(@CallerParam() caller: Caller, @Param('purge_id', { schema: LongId }) id: number): Promise<void> {
    return this.maintenance.stop(caller, KIND, id);
  }

  @Get(':purge_id/log')
  @Operation({ id: 'getPurgeJobLog', tag: 'purge', summary: 'What a purge of the audit trail wrote down', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('purge-audit', 'read'))
  @RespondsText()
  log(@Param('purge_id', { schema: LongId }) id: number): Promise<TextAnswer> {
    return this.maintenance.log(KIND, id);
  }

  #read(given: Readonly<Record<string, unknown>>): AuditPurgeParameters {
    return readAuditPurgeParameters(given, new Set(this.logs.eventTypes().map(({ event_type: name }) => name)));
  }
}
