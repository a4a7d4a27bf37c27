import { Body, Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { MaintenanceScheduleReq, Problem, Schedule } from '@haven/api';
import { Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { noScanner } from './no-scanner.js';

/** Scanning everything. There is no scanner to do it with: the answer is that of a Harbor without one. */
@Controller('api/v2.0/system/scanAll')
export class ScanAllController {
  @Get('schedule')
  @Operation({ id: 'getScanAllSchedule', tag: 'scanAll', summary: 'When everything is scanned; refused, as there is no scanner', refuses: ['PRECONDITION'] })
  @Requires(systemPermission('scan-all', 'read'))
  @Responds(Schedule)
  schedule(): Schedule {
    throw noScanner();
  }

  @Post('schedule')
  @Operation({ id: 'createScanAllSchedule', tag: 'scanAll', summary: 'Set when everything is scanned; refused, as there is no scanner', refuses: ['CONFLICT', 'PRECONDITION'], audits: 'nothing' })
  @HttpCode(201)
  @Requires(systemPermission('scan-all', 'create'))
  @RespondsNothing()
  create(@Body({ schema: MaintenanceScheduleReq }) _request: MaintenanceScheduleReq): void {
    throw noScanner();
  }

  @Put('schedule')
  @Operation({ id: 'updateScanAllSchedule', tag: 'scanAll', summary: 'Change when everything is scanned; refused, as there is no scanner', refuses: ['PRECONDITION'], audits: 'nothing' })
  @Requires(systemPermission('scan-all', 'update'))
  @RespondsNothing()
  update(@Body({ schema: MaintenanceScheduleReq }) _request: MaintenanceScheduleReq): void {
    throw noScanner();
  }

  @Post('stop')
  @Operation({ id: 'stopScanAll', tag: 'scanAll', summary: 'Stop scanning everything; refused, as nothing is scanned', refuses: ['BAD_REQUEST'], audits: 'nothing' })
  @HttpCode(202)
  @Requires(systemPermission('scan-all', 'stop'))
  @RespondsNothing()
  stop(): void {
    throw new Problem('BAD_REQUEST', 'nothing is being scanned: no scanner is configured');
  }
}
