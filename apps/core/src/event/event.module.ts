import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { EventController } from './event.controller.js';
import { EventService } from './event.service.js';
import { EventStore } from './event.store.js';

/** What happened, and how far it was told of. */
@Module({ imports: [AuthorizationModule], controllers: [EventController], providers: [EventStore, EventService] })
export class EventModule {}
