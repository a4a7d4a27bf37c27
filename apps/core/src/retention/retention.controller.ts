import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, RetentionMetadata, RetentionPolicy } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { RETENTION_METADATA } from './retention-rules.js';
import { RetentionService } from './retention.service.js';

/** Who may do what depends on the policy's project, which the addresses do not name: the service decides. */
@Controller('api/v2.0/retentions')
export class RetentionController {
  constructor(private readonly retentions: RetentionService) {}

  @Get('metadatas')
  @Operation({ id: 'getRentenitionMetadata', tag: 'Retention', summary: 'Tell which rules, selectors and decorations there are' })
  @Requires(authenticated)
  @Responds(RetentionMetadata)
  metadata(): RetentionMetadata {
    return RETENTION_METADATA;
  }

  @Post()
  @Operation({
    id: 'createRetention', tag: 'Retention', summary: 'Give a project its retention policy', refuses: ['FORBIDDEN', 'NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'create', resourceType: 'retention_policy' },
  })
  @HttpCode(201)
  @Requires(authenticated)
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: RetentionPolicy }) request: RetentionPolicy, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.header('Location', `/api/v2.0/retentions/${await this.retentions.create(caller, request)}`);
  }

  @Get(':id')
  @Operation({ id: 'getRetention', tag: 'Retention', summary: 'One retention policy', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @Responds(RetentionPolicy)
  get(@CallerParam() caller: Caller, @Param('id', { schema: Id }) id: number): Promise<RetentionPolicy> {
    return this.retentions.get(caller, id);
  }

  @Put(':id')
  @Operation({
    id: 'updateRetention', tag: 'Retention', summary: 'Change a retention policy', refuses: ['FORBIDDEN', 'NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'update', resourceType: 'retention_policy' },
  })
  @Requires(authenticated)
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('id', { schema: Id }) id: number, @Body({ schema: RetentionPolicy }) request: RetentionPolicy): Promise<void> {
    return this.retentions.update(caller, id, request);
  }

  @Delete(':id')
  @Operation({
    id: 'deleteRetention', tag: 'Retention', summary: 'Delete a retention policy with its history', refuses: ['FORBIDDEN', 'NOT_FOUND'],
    audits: { operation: 'delete', resourceType: 'retention_policy' },
  })
  @Requires(authenticated)
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('id', { schema: Id }) id: number): Promise<void> {
    return this.retentions.delete(caller, id);
  }
}
