import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, Quota, QuotaListQuery, QuotaUpdateReq, type Page } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { QuotaService } from './quota.service.js';

@Controller('api/v2.0/quotas')
export class QuotaController {
  constructor(private readonly quotas: QuotaService) {}

  @Get()
  @Operation({ id: 'listQuotas', tag: 'quota', summary: 'What projects may hold and do hold' })
  @Requires(systemPermission('quota', 'list'))
  @RespondsPageOf(Quota)
  list(@Query({ schema: QuotaListQuery }) query: QuotaListQuery): Promise<Page<Quota>> {
    return this.quotas.list(query);
  }

  @Get(':id')
  @Operation({ id: 'getQuota', tag: 'quota', summary: 'The quota of one project', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('quota', 'read'))
  @Responds(Quota)
  get(@Param('id', { schema: Id }) id: number): Promise<Quota> {
    return this.quotas.get(id);
  }

  @Put(':id')
  @Operation({ id: 'updateQuota', tag: 'quota', summary: 'Limit what a project may hold', refuses: ['NOT_FOUND'], audits: { operation: 'update', resourceType: 'quota' } })
  @Requires(systemPermission('quota', 'update'))
  @RespondsNothing()
  update(@Param('id', { schema: Id }) id: number, @CallerParam() caller: Caller, @Body({ schema: QuotaUpdateReq }) request: QuotaUpdateReq): Promise<void> {
    return this.quotas.update(id, caller, request);
  }
}
