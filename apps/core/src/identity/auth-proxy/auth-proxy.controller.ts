import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { AuthProxyPingReq } from '@haven/api';
import { Requires } from '../../authorization/requirement.guard.js';
import { systemPermission } from '../../authorization/requirement.js';
import { WorksWhileReadOnly } from '../../configuration/read-only.guard.js';
import { Operation } from '../../http/operation.js';
import { RespondsNothing } from '../../http/response.interceptor.js';
import { AuthProxyPingService } from './auth-proxy-ping.service.js';

@Controller('api/v2.0/system/authproxy')
export class AuthProxyController {
  constructor(private readonly pings: AuthProxyPingService) {}

  @Post('ping')
  @HttpCode(200)
  @Operation({ id: 'pingAuthProxy', tag: 'configure', summary: 'Try an authenticating proxy before it is set; what is left out is as the settings have it', extension: true, audits: 'nothing' })
  @Requires(systemPermission('configuration', 'update'))
  @WorksWhileReadOnly()
  @RespondsNothing()
  ping(@Body({ schema: AuthProxyPingReq }) given: AuthProxyPingReq): Promise<void> {
    return this.pings.ping(given);
  }
}
