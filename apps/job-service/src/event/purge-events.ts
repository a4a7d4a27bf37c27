import type { Outbox } from '@haven/database';
import type { Logger } from '@haven/runtime';

const BATCH = 1000;
const KEEP_MS = 7 * 24 * 60 * 60 * 1000;

/** Removes events from the outbox that were delivered more than a week ago, a thousand at a time so that nobody waits for it. */
export async function purgeEvents(outbox: Pick<Outbox, 'forgetDelivered'>, logger: Logger, now: Date = new Date()): Promise<number> {
  const before = new Date(now.getTime() - KEEP_MS);
  let removed = 0;
  for (let count = BATCH; count === BATCH; removed += count) count = await outbox.forgetDelivered(before, BATCH);
  if (removed > 0) logger.info('old events were removed', { removed });
  return removed;
}
