import { z } from 'zod';
import { text, Timestamp } from './fields.js';

/** When something runs; `Manual` is once and now, `None` is never. Answers have `Schedule` for a run that a schedule started. */
export const ScheduleObj = z.object({
  type: z.enum(['Hourly', 'Daily', 'Weekly', 'Custom', 'Manual', 'None', 'Schedule']).optional(),
  /** Six fields in UTC, the first of them 0; what it says counts, whatever the type. */
  cron: text(1024).optional(),
  next_scheduled_time: Timestamp.optional(),
}).meta({ id: 'ScheduleObj' });
export type ScheduleObj = z.infer<typeof ScheduleObj>;

const historyFields = {
  id: z.number().int().optional(),
  job_name: z.string().optional(),
  /** MANUAL or SCHEDULE. */
  job_kind: z.string().optional(),
  /** JSON: what the run was asked to do, and what it did so far. */
  job_parameters: z.string().optional(),
  schedule: ScheduleObj.optional(),
  job_status: z.string().optional(),
  /** Haven's own: how it ended, in words; "partial: …" when something could not be removed. */
  status_message: z.string().optional(),
  deleted: z.boolean().optional(),
  creation_time: Timestamp.optional(),
  update_time: Timestamp.optional(),
};

/** A garbage collection, or its schedule; nothing of it is there when nothing is scheduled. */
export const GCHistory = z.object(historyFields).meta({ id: 'GCHistory' });
export type GCHistory = z.infer<typeof GCHistory>;

/** A purge of the audit trail, or its schedule. */
export const ExecHistory = z.object(historyFields).meta({ id: 'ExecHistory' });
export type ExecHistory = z.infer<typeof ExecHistory>;

/** When everything is scanned. */
export const Schedule = z.object({
  id: z.number().int().optional(),
  status: z.string().optional(),
  creation_time: Timestamp.optional(),
  update_time: Timestamp.optional(),
  schedule: ScheduleObj.optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
}).meta({ id: 'Schedule' });
export type Schedule = z.infer<typeof Schedule>;

/** Body of the operations that set a schedule or start a run. */
export const MaintenanceScheduleReq = z.object({
  schedule: z.object({
    type: z.enum(['Hourly', 'Daily', 'Weekly', 'Custom', 'Manual', 'None', 'Schedule']),
    cron: text(1024).nullable().optional(),
  }),
  parameters: z.record(z.string().max(64), z.unknown()).nullable().optional(),
}).meta({ id: 'MaintenanceScheduleReq' });
export type MaintenanceScheduleReq = z.infer<typeof MaintenanceScheduleReq>;
