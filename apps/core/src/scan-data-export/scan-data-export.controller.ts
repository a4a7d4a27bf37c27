import { Body, Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { LongId, ScanDataExportExecution, ScanDataExportExecutionList, ScanDataExportJob, ScanDataExportRequest } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsRaw } from '../http/response.interceptor.js';
import { ScanDataExportService } from './scan-data-export.service.js';

const TAG = 'scan data export';

/** Who may export what depends on the project in the body: the service decides. */
@Controller('api/v2.0/export/cve')
export class ScanDataExportController {
  constructor(private readonly exports: ScanDataExportService) {}

  @Post()
  @Operation({
    id: 'exportScanData', tag: TAG, summary: 'Export the vulnerabilities of a project; refused, as there is no scanner',
    refuses: ['FORBIDDEN', 'NOT_FOUND', 'METHOD_NOT_ALLOWED', 'CONFLICT', 'PRECONDITION'], audits: 'nothing',
  })
  @HttpCode(200)
  @Requires(authenticated)
  @Responds(ScanDataExportJob)
  start(@CallerParam() caller: Caller, @Headers('x-scan-data-type') dataType: string | undefined, @Body({ schema: ScanDataExportRequest }) request: ScanDataExportRequest): Promise<ScanDataExportJob> {
    return this.exports.start(caller, request, dataType);
  }

  @Get('executions')
  @Operation({ id: 'getScanDataExportExecutionList', tag: TAG, summary: "List the caller's exports, the latest first", refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @Responds(ScanDataExportExecutionList)
  list(@CallerParam() caller: Caller): Promise<ScanDataExportExecutionList> {
    return this.exports.list(caller);
  }

  @Get('execution/:execution_id')
  @Operation({ id: 'getScanDataExportExecution', tag: TAG, summary: "One of the caller's exports", refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @Responds(ScanDataExportExecution)
  get(@CallerParam() caller: Caller, @Param('execution_id', { schema: LongId }) id: number): Promise<ScanDataExportExecution> {
    return this.exports.get(caller, id);
  }

  @Get('download/:execution_id')
  @Operation({ id: 'downloadScanData', tag: TAG, summary: "What one of the caller's exports found, as CSV", refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @RespondsRaw('text/csv', 'Content-Disposition')
  download(@CallerParam() caller: Caller, @Param('execution_id', { schema: LongId }) id: number): Promise<string> {
    return this.exports.download(caller, id);
  }
}
