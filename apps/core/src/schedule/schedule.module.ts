import { Module } from '@nestjs/common';
import { ExecutionModule } from '../execution/execution.module.js';
import { ScheduleController } from './schedule.controller.js';

/** What starts by itself. */
@Module({ imports: [ExecutionModule], controllers: [ScheduleController] })
export class ScheduleModule {}
