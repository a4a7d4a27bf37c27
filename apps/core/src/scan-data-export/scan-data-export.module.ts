import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { ExecutionModule } from '../execution/execution.module.js';
import { ScanDataExportController } from './scan-data-export.controller.js';
import { ScanDataExportService } from './scan-data-export.service.js';
import { ScanDataExportStore } from './scan-data-export.store.js';

/** Exports of vulnerabilities. */
@Module({ imports: [AuthorizationModule, ExecutionModule], controllers: [ScanDataExportController], providers: [ScanDataExportService, ScanDataExportStore] })
export class ScanDataExportModule {}
