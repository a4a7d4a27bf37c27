import { z } from 'zod';
import { Timestamp } from './fields.js';

/** Something that starts by itself again and again. */
export const ScheduleTask = z.object({
  id: z.number().int(),
  vendor_type: z.string(),
  vendor_id: z.number().int(),
  cron: z.string(),
  update_time: Timestamp,
  /** Haven's own: when it starts next, up to five times; empty while schedules are paused. */
  next_times: z.array(Timestamp),
}).meta({ id: 'ScheduleTask' });
export type ScheduleTask = z.infer<typeof ScheduleTask>;

export const SchedulerStatus = z.object({ paused: z.boolean() }).meta({ id: 'SchedulerStatus' });
export type SchedulerStatus = z.infer<typeof SchedulerStatus>;
