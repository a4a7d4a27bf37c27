import { Module } from '@nestjs/common';
import { ScanAllMetricsController } from './scan-all-metrics.controller.js';
import { ScanAllController } from './scan-all.controller.js';

/** Scanning everything. */
@Module({ controllers: [ScanAllController, ScanAllMetricsController] })
export class ScanAllModule {}
