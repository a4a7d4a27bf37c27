import { Controller, Get, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { GeneralInfo, Problem, SystemInfo } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { anyone, open, systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsRaw } from '../http/response.interceptor.js';
import { CoreOptions } from '../platform/core-options.js';
import { SystemService } from './system.service.js';
import { volumesOf } from './volumes.js';

@Controller('api/v2.0/systeminfo')
export class SystemInfoController {
  constructor(
    private readonly system: SystemService,
    private readonly options: CoreOptions,
  ) {}

  @Get()
  @Operation({ id: 'getSystemInfo', tag: 'systeminfo', summary: 'What the caller may know about the installation' })
  @Requires(anyone)
  @Responds(GeneralInfo)
  info(@CallerParam() caller: Caller): Promise<GeneralInfo> {
    return this.system.info(caller);
  }

  @Get('volumes')
  @Operation({ id: 'getVolumes', tag: 'systeminfo', summary: 'Size and free space of the volumes that blobs are kept on', refuses: ['NOT_FOUND', 'SERVICE_UNAVAILABLE'] })
  @Requires(systemPermission('system-volumes', 'read'))
  @Responds(SystemInfo)
  volumes(): Promise<SystemInfo> {
    return volumesOf(this.options.storageFolder);
  }

  @Get('getcert')
  @Operation({ id: 'getCert', tag: 'systeminfo', summary: 'The certificates that clients need to trust this server', refuses: ['NOT_FOUND'] })
  @Requires(open)
  @RespondsRaw('application/octet-stream', 'Content-Disposition')
  certificates(@Res({ passthrough: true }) reply: FastifyReply): string {
    const { authorityCertificates } = this.options;
    if (authorityCertificates === undefined) throw new Problem('NOT_FOUND', 'this server gives out no certificates: its own are signed by an authority that clients know');
    reply.header('Content-Disposition', 'attachment; filename=ca.crt');
    return `${authorityCertificates}\n`;
  }
}
