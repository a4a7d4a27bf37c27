import { Injectable } from '@nestjs/common';
import type { ListQuery, Page, PlatformEvent } from '@haven/api';
import { mapPage, wantedIn } from '../listing/select-page.js';
import { EventStore, type EventRow } from './event.store.js';

/** What happened in the last week, and how far it was told of. */
@Injectable()
export class EventService {
  constructor(private readonly store: EventStore) {}

  async list(query: ListQuery): Promise<Page<PlatformEvent>> {
    const rows = await this.store.list(wantedIn(query));
    const counts = await this.store.deliveries(rows.items.map((row) => row.event_id));
    return mapPage(rows, (row) => {
      const deliveries = { waiting: 0, delivered: 0, dead: 0 };
      for (const { eventId, state, count } of counts) if (eventId === row.event_id) deliveries[state] = count;
      return eventOf(row, deliveries);
    });
  }
}

function eventOf(row: EventRow, deliveries: PlatformEvent['deliveries']): PlatformEvent {
  return {
    id: Number(row.id), event_id: row.event_id, type: row.type, ...(row.project === null ? {} : { project_id: Number(row.project) }), ...(row.repository === null ? {} : { repository: row.repository }),
    operator: row.operator ?? '', state: stateOf(row), creation_time: row.created_at.toISOString(),
    ...(row.delivered_at === null ? {} : { queue_time: row.delivered_at.toISOString() }), ...(row.handled_at === null ? {} : { handle_time: row.handled_at.toISOString() }), deliveries,
  };
}

function stateOf({ delivered_at: queuedAt, handled_at: handledAt }: EventRow): string {
  if (handledAt !== null) return 'handled';
  return queuedAt === null ? 'waiting' : 'queued';
}
