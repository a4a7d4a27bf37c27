import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import {
  LongId, PageQuery, Reconciliation, ReconciliationFinding, ReconciliationFindingQuery, ReconciliationReq, ReconciliationSchedule, ReconciliationScheduleReq, type Page,
} from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { WorksWhileReadOnly } from '../configuration/read-only.guard.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { ReconciliationService } from './reconciliation.service.js';

const RESOURCE = 'storage_reconciliation';

/** Whoever may collect garbage may also see, and do away with, what storage holds beside the catalog. */
@Controller('api/v2.0/system/reconciliations')
export class ReconciliationController {
  constructor(private readonly reconciliations: ReconciliationService) {}

  @Get()
  @Operation({ id: 'listReconciliations', tag: 'reconciliation', summary: 'List comparisons of storage with the catalog, the latest first', extension: true })
  @Requires(systemPermission('garbage-collection', 'list'))
  @RespondsPageOf(Reconciliation)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<Reconciliation>> {
    return this.reconciliations.list(query);
  }

  @Post()
  @Operation({
    id: 'startReconciliation', tag: 'reconciliation', summary: 'Compare storage with the catalog; do away with what nobody needs, if asked to', extension: true,
    audits: { operation: 'start', resourceType: RESOURCE },
  })
  @HttpCode(201)
  @Requires(systemPermission('garbage-collection', 'create'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  async start(@CallerParam() caller: Caller, @Body({ schema: ReconciliationReq }) request: ReconciliationReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.header('Location', `/api/v2.0/system/reconciliations/${await this.reconciliations.start(caller, request)}`);
  }

  @Get('schedule')
  @Operation({ id: 'getReconciliationSchedule', tag: 'reconciliation', summary: 'When storage is compared with the catalog', extension: true, refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('garbage-collection', 'read'))
  @Responds(ReconciliationSchedule)
  schedule(): Promise<ReconciliationSchedule> {
    return this.reconciliations.schedule();
  }

  @Put('schedule')
  @Operation({
    id: 'setReconciliationSchedule', tag: 'reconciliation', summary: 'Set when storage is compared with the catalog', extension: true, audits: { operation: 'update', resourceType: RESOURCE },
  })
  @Requires(systemPermission('garbage-collection', 'update'))
  @RespondsNothing()
  setSchedule(@CallerParam() caller: Caller, @Body({ schema: ReconciliationScheduleReq }) request: ReconciliationScheduleReq): Promise<void> {
    return this.reconciliations.setSchedule(caller, request);
  }

  @Delete('schedule')
  @Operation({
    id: 'deleteReconciliationSchedule', tag: 'reconciliation', summary: 'Compare storage with the catalog only when somebody asks for it', extension: true, refuses: ['NOT_FOUND'],
    audits: { operation: 'delete', resourceType: RESOURCE },
  })
  @Requires(systemPermission('garbage-collection', 'update'))
  @RespondsNothing()
  removeSchedule(@CallerParam() caller: Caller): Promise<void> {
    return this.reconciliations.removeSchedule(caller);
  }

  @Get(':reconciliation_id')
  @Operation({ id: 'getReconciliation', tag: 'reconciliation', summary: 'What a comparison of storage with the catalog found', extension: true, refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('garbage-collection', 'read'))
  @Responds(Reconciliation)
  get(@Param('reconciliation_id', { schema: LongId }) id: number): Promise<Reconciliation> {
    return this.reconciliations.get(id);
  }

  @Put(':reconciliation_id')
  @Operation({
    id: 'stopReconciliation', tag: 'reconciliation', summary: 'Stop a comparison of storage with the catalog', extension: true, refuses: ['NOT_FOUND'],
    audits: { operation: 'stop', resourceType: RESOURCE },
  })
  @Requires(systemPermission('garbage-collection', 'stop'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  stop(@CallerParam() caller: Caller, @Param('reconciliation_id', { schema: LongId }) id: number): Promise<void> {
    return this.reconciliations.stop(caller, id);
  }

  @Get(':reconciliation_id/findings')
  @Operation({ id: 'listReconciliationFindings', tag: 'reconciliation', summary: 'List everything that a comparison found', extension: true, refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('garbage-collection', 'read'))
  @RespondsPageOf(ReconciliationFinding)
  listFindings(@Param('reconciliation_id', { schema: LongId }) id: number, @Query({ schema: ReconciliationFindingQuery }) query: ReconciliationFindingQuery): Promise<Page<ReconciliationFinding>> {
    return this.reconciliations.listFindings(id, query);
  }

  @Get(':reconciliation_id/log')
  @Operation({ id: 'getReconciliationLog', tag: 'reconciliation', summary: 'What a comparison found, a line for each', extension: true, refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('garbage-collection', 'read'))
  @RespondsText()
  log(@Param('reconciliation_id', { schema: LongId }) id: number): Promise<TextAnswer> {
    return this.reconciliations.log(id);
  }
}
