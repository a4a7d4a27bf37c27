import { Body, Controller, Get, Put } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { CVEAllowlist, CVEAllowlistReq, Problem } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated, systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { AllowlistService } from './allowlist.service.js';

@Controller('api/v2.0/system/CVEAllowlist')
export class AllowlistController {
  constructor(private readonly allowlist: AllowlistService) {}

  @Get()
  @Operation({ id: 'getSystemCVEAllowlist', tag: 'SystemCVEAllowlist', summary: 'The vulnerabilities that count nowhere in the installation' })
  @Requires(authenticated)
  @Responds(CVEAllowlist)
  get(): Promise<CVEAllowlist> {
    return this.allowlist.get();
  }

  @Put()
  @Operation({ id: 'putSystemCVEAllowlist', tag: 'SystemCVEAllowlist', summary: 'Replace that list', audits: { operation: 'update', resourceType: 'cve_allowlist' } })
  @Requires(systemPermission('configuration', 'update'))
  @RespondsNothing()
  replace(@CallerParam() caller: Caller, @Body({ schema: CVEAllowlistReq.optional() }) request: CVEAllowlistReq | undefined): Promise<void> {
    if (request === undefined) throw new Problem('BAD_REQUEST', 'send the list as JSON, e.g. {"items": [{"cve_id": "CVE-2026-1"}]}');
    return this.allowlist.replace(caller, request);
  }
}
