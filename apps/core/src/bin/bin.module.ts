import { Module } from '@nestjs/common';
import { TagModule } from '../tag/tag.module.js';
import { BinController } from './bin.controller.js';
import { BinService } from './bin.service.js';

/** What was deleted in projects and can still come back. */
@Module({ imports: [TagModule], controllers: [BinController], providers: [BinService] })
export class BinModule {}
