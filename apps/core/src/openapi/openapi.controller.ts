import { Controller, Get, Header, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Requires } from '../authorization/requirement.guard.js';
import { open } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsRaw } from '../http/response.interceptor.js';
import { EXPLORER_PAGE, EXPLORER_POLICY } from './explorer-page.js';
import { ExplorerService } from './explorer.service.js';
import { OpenApiService } from './openapi.service.js';

const HTML = 'text/html; charset=utf-8';

/** The API's own description, to be read by programs and by people. */
@Controller()
export class OpenApiController {
  constructor(
    private readonly openApi: OpenApiService,
    private readonly explorer: ExplorerService,
  ) {}

  @Get('api/v2.0/openapi.json')
  @Operation({ id: 'getOpenApiJson', tag: 'openapi', summary: 'This document as JSON', extension: true })
  @Requires(open)
  @RespondsRaw('application/json; charset=utf-8')
  json(): string {
    return this.openApi.json;
  }

  @Get('api/v2.0/openapi.yaml')
  @Operation({ id: 'getOpenApiYaml', tag: 'openapi', summary: 'This document as YAML', extension: true })
  @Requires(open)
  @RespondsRaw('application/yaml; charset=utf-8')
  yaml(): string {
    return this.openApi.yaml;
  }

  @Get('api/v2.0/explorer')
  @Operation({ id: 'getExplorer', tag: 'openapi', summary: 'A page to read this document and try its operations', extension: true })
  @Header('Content-Security-Policy', EXPLORER_POLICY)
  @Requires(open)
  @RespondsRaw(HTML)
  page(): string {
    return EXPLORER_PAGE;
  }

  @Get('api/v2.0/explorer/:file_name')
  @Operation({ id: 'getExplorerFile', tag: 'openapi', summary: 'A script or style sheet of that page', extension: true })
  @Header('Cache-Control', 'public, max-age=3600')
  @Requires(open)
  @RespondsRaw('text/javascript')
  async asset(@Param('file_name') name: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<string | Buffer> {
    const { type, content } = await this.explorer.asset(name);
    reply.type(type);
    return content;
  }

  @Get('devcenter-api-2.0')
  @Operation({ id: 'getDevCenter', tag: 'openapi', summary: 'The same page at the address that Harbor has it' })
  @Header('Content-Security-Policy', EXPLORER_POLICY)
  @Requires(open)
  @RespondsRaw(HTML)
  devCenter(): string {
    return EXPLORER_PAGE;
  }
}
