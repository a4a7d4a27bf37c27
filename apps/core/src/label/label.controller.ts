import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, Label, LabelListQuery, LabelReq, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { anyone } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { LabelService } from './label.service.js';

/** Who may do what depends on the label's scope, so the service decides. */
@Controller('api/v2.0/labels')
export class LabelController {
  constructor(private readonly labels: LabelService) {}

  @Get()
  @Operation({ id: 'ListLabels', tag: 'label', summary: 'List the labels of the installation (scope g) or of a project (scope p)', refuses: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND'] })
  @Requires(anyone)
  @RespondsPageOf(Label)
  list(@CallerParam() caller: Caller, @Query({ schema: LabelListQuery }) query: LabelListQuery): Promise<Page<Label>> {
    return this.labels.list(caller, query);
  }

  @Post()
  @Operation({
    id: 'CreateLabel', tag: 'label', summary: 'Make a label', refuses: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'UNSUPPORTED_MEDIA_TYPE'],
    audits: { operation: 'create', resourceType: 'label' },
  })
  @HttpCode(201)
  @Requires(anyone)
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: LabelReq }) request: LabelReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.header('Location', `/api/v2.0/labels/${await this.labels.create(caller, request)}`);
  }

  @Get(':label_id')
  @Operation({ id: 'GetLabelByID', tag: 'label', summary: 'One label', refuses: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND'] })
  @Requires(anyone)
  @Responds(Label)
  get(@CallerParam() caller: Caller, @Param('label_id', { schema: Id }) id: number): Promise<Label> {
    return this.labels.get(caller, id);
  }

  @Put(':label_id')
  @Operation({
    id: 'UpdateLabel', tag: 'label', summary: 'Change what a label says', refuses: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'update', resourceType: 'label' },
  })
  @Requires(anyone)
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('label_id', { schema: Id }) id: number, @Body({ schema: LabelReq }) request: LabelReq): Promise<void> {
    return this.labels.update(caller, id, request);
  }

  @Delete(':label_id')
  @Operation({
    id: 'DeleteLabel', tag: 'label', summary: 'Delete a label, also from the artifacts that have it', refuses: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND'],
    audits: { operation: 'delete', resourceType: 'label' },
  })
  @Requires(anyone)
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('label_id', { schema: Id }) id: number): Promise<void> {
    return this.labels.delete(caller, id);
  }
}
