import { Controller, Get } from '@nestjs/common';
import { ApiVersion, OverallHealthStatus } from '@haven/api';
import { z } from 'zod';
import { Requires } from '../authorization/requirement.guard.js';
import { open } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { SystemService } from './system.service.js';

@Controller('api')
export class SystemController {
  constructor(private readonly system: SystemService) {}

  @Get('version')
  @Operation({ id: 'getVersion', tag: 'version', summary: 'The version of the API' })
  @Requires(open)
  @Responds(ApiVersion)
  version(): { version: 'v2.0' } {
    return { version: 'v2.0' };
  }

  @Get('v2.0/ping')
  @Operation({ id: 'getPing', tag: 'ping', summary: 'Whether the API answers' })
  @Requires(open)
  @Responds(z.literal('Pong'))
  ping(): 'Pong' {
    return 'Pong';
  }

  @Get('v2.0/health')
  @Operation({ id: 'getHealth', tag: 'health', summary: 'The state of the parts of the installation' })
  @Requires(open)
  @Responds(OverallHealthStatus)
  health(): Promise<OverallHealthStatus> {
    return this.system.health();
  }
}
