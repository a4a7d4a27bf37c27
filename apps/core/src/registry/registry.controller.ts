import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Registry, RegistryId, RegistryInfo, RegistryListQuery, RegistryPing, RegistryReq, RegistryUpdate, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { RegistryService } from './registry.service.js';

const REGISTRIES = 'api/v2.0/registries';

@Controller(REGISTRIES)
export class RegistryController {
  constructor(private readonly registries: RegistryService) {}

  @Get()
  @Operation({ id: 'listRegistries', tag: 'registry', summary: 'List the other registries that are known here' })
  @Requires(systemPermission('registry', 'list'))
  @RespondsPageOf(Registry)
  list(@Query({ schema: RegistryListQuery }) query: RegistryListQuery): Promise<Page<Registry>> {
    return this.registries.list(query);
  }

  @Post()
  @Operation({ id: 'createRegistry', tag: 'registry', summary: 'Make another registry known; it must answer', refuses: ['CONFLICT'], audits: { operation: 'create', resourceType: 'registry' } })
  @HttpCode(201)
  @Requires(systemPermission('registry', 'create'))
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: RegistryReq }) request: RegistryReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.header('Location', `/${REGISTRIES}/${await this.registries.create(caller, request)}`);
  }

  @Post('ping')
  @Operation({ id: 'pingRegistry', tag: 'registry', summary: 'Try whether a registry answers and takes the credentials', refuses: ['NOT_FOUND'], audits: 'nothing' })
  @HttpCode(200)
  @Requires(systemPermission('registry', 'read'))
  @RespondsNothing()
  ping(@Body({ schema: RegistryPing }) request: RegistryPing): Promise<void> {
    return this.registries.ping(request);
  }

  @Get(':id')
  @Operation({ id: 'getRegistry', tag: 'registry', summary: 'One registry', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('registry', 'read'))
  @Responds(Registry)
  get(@Param('id', { schema: RegistryId }) id: number): Promise<Registry> {
    return this.registries.get(id);
  }

  @Put(':id')
  @Operation({ id: 'updateRegistry', tag: 'registry', summary: 'Change a registry; it must answer', refuses: ['NOT_FOUND', 'CONFLICT'], audits: { operation: 'update', resourceType: 'registry' } })
  @Requires(systemPermission('registry', 'update'))
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('id', { schema: RegistryId }) id: number, @Body({ schema: RegistryUpdate }) request: RegistryUpdate): Promise<void> {
    return this.registries.update(caller, id, request);
  }

  @Delete(':id')
  @Operation({ id: 'deleteRegistry', tag: 'registry', summary: 'Forget a registry that nothing uses', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'delete', resourceType: 'registry' } })
  @Requires(systemPermission('registry', 'delete'))
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('id', { schema: RegistryId }) id: number): Promise<void> {
    return this.registries.delete(caller, id);
  }

  @Get(':id/info')
  @Operation({ id: 'getRegistryInfo', tag: 'registry', summary: 'What replication with a registry can be told to do; 0 is this installation', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('registry', 'read'))
  @Responds(RegistryInfo)
  info(@Param('id', { schema: RegistryId }) id: number): Promise<RegistryInfo> {
    return this.registries.info(id);
  }
}
