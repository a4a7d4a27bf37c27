import { Module } from '@nestjs/common';
import { SystemController } from './system.controller.js';
import { SystemService } from './system.service.js';

/** What the installation says about itself. */
@Module({ controllers: [SystemController], providers: [SystemService] })
export class SystemModule {}
