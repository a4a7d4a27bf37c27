import { Controller, Get, Query } from '@nestjs/common';
import { ListQuery, PlatformEvent, type Page } from '@haven/api';
import { Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsPageOf } from '../http/response.interceptor.js';
import { EventService } from './event.service.js';

@Controller('api/v2.0/system/events')
export class EventController {
  constructor(private readonly events: EventService) {}

  @Get()
  @Operation({ id: 'listEvents', tag: 'webhook', summary: 'List what happened in the last week, and how far it was told of, the latest first', extension: true })
  @Requires(systemPermission('event', 'list'))
  @RespondsPageOf(PlatformEvent)
  list(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<PlatformEvent>> {
    return this.events.list(query);
  }
}
