import { Module } from '@nestjs/common';
import { ScanAllController } from './scan-all.controller.js';

/** Scanning everything. */
@Module({ controllers: [ScanAllController] })
export class ScanAllModule {}
