import { Global, Module } from '@nestjs/common';
import { ConfigurationService } from './configuration.service.js';

/** The settings that administrators change while the installation runs. Global, for they touch every part. */
@Global()
@Module({ providers: [ConfigurationService], exports: [ConfigurationService] })
export class ConfigurationModule {}
