import { Module } from '@nestjs/common';
import { SystemInfoController } from './system-info.controller.js';
import { SystemController } from './system.controller.js';
import { SystemService } from './system.service.js';

/** What the installation says about itself. */
@Module({ controllers: [SystemController, SystemInfoController], providers: [SystemService] })
export class SystemModule {}
