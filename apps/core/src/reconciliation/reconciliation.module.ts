import { Module } from '@nestjs/common';
import { ExecutionModule } from '../execution/execution.module.js';
import { FindingStore } from './finding.store.js';
import { ReconciliationController } from './reconciliation.controller.js';
import { ReconciliationService } from './reconciliation.service.js';

/** Comparisons of storage with the catalog. */
@Module({ imports: [ExecutionModule], controllers: [ReconciliationController], providers: [ReconciliationService, FindingStore] })
export class ReconciliationModule {}
