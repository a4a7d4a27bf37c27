import { Module } from '@nestjs/common';
import { QuotaController } from './quota.controller.js';
import { QuotaService } from './quota.service.js';
import { QuotaStore } from './quota.store.js';

/** What projects may hold, and do. */
@Module({ controllers: [QuotaController], providers: [QuotaStore, QuotaService] })
export class QuotaModule {}
