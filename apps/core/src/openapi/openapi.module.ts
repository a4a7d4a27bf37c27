import { Module } from '@nestjs/common';
import { HttpModule } from '../http/http.module.js';
import { ExplorerService } from './explorer.service.js';
import { OpenApiController } from './openapi.controller.js';
import { OpenApiService } from './openapi.service.js';

/** The OpenAPI document, and a page to explore it. */
@Module({ imports: [HttpModule], controllers: [OpenApiController], providers: [OpenApiService, ExplorerService] })
export class OpenApiModule {}
