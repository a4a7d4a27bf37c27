import { Module } from '@nestjs/common';
import { AllowlistController } from './allowlist.controller.js';
import { AllowlistService } from './allowlist.service.js';

/** Vulnerabilities that do not count. */
@Module({ controllers: [AllowlistController], providers: [AllowlistService] })
export class AllowlistModule {}
