import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { AdapterController } from './adapter.controller.js';
import { RegistryController } from './registry.controller.js';
import { RegistryService } from './registry.service.js';
import { RegistryStore } from './registry.store.js';

/** Other registries that this installation knows. */
@Module({ imports: [AuthorizationModule, OutboundModule], controllers: [RegistryController, AdapterController], providers: [RegistryStore, RegistryService] })
export class RegistryModule {}
