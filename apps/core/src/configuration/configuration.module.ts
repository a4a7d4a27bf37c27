import { Global, Module } from '@nestjs/common';
import { ConfigurationChangeService } from './configuration-change.service.js';
import { ConfigurationController } from './configuration.controller.js';
import { ConfigurationService } from './configuration.service.js';

/** The settings that administrators change while the installation runs. Global, for they touch every part. */
@Global()
@Module({ controllers: [ConfigurationController], providers: [ConfigurationService, ConfigurationChangeService], exports: [ConfigurationService] })
export class ConfigurationModule {}
