import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { HttpModule } from '../http/http.module.js';
import { AuditLogController } from './audit-log.controller.js';
import { AuditLogService } from './audit-log.service.js';
import { AuditLogStore } from './audit-log.store.js';
import { OperationWatchService } from './operation-watch.service.js';

/** The audit trail: what is written into it for every operation, and what people read of it. */
@Module({ imports: [AuthorizationModule, HttpModule], controllers: [AuditLogController], providers: [AuditLogStore, AuditLogService, OperationWatchService], exports: [AuditLogService] })
export class AuditModule {}
