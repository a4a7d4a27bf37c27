import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ExecutionModule } from '../execution/execution.module.js';
import { AuditPurgeController } from './audit-purge.controller.js';
import { GarbageCollectionController } from './garbage-collection.controller.js';
import { MaintenanceService } from './maintenance.service.js';

/** Garbage collection and purges of the audit trail. */
@Module({ imports: [AuditModule, ExecutionModule], controllers: [GarbageCollectionController, AuditPurgeController], providers: [MaintenanceService] })
export class MaintenanceModule {}
