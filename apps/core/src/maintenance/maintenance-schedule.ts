import { Problem, type MaintenanceScheduleReq } from '@haven/api';
import { cronFault } from '@haven/policy';

/** What a request asks for. */
export type WantedSchedule = { readonly kind: 'run' } | { readonly kind: 'remove' } | { readonly kind: 'set'; readonly type: string; readonly cron: string };

/** For those who name a rhythm and leave out the cron. */
const RHYTHMS = { Hourly: '0 0 * * * *', Daily: '0 0 0 * * *', Weekly: '0 0 0 * * 0' } as const;

/** @throws Problem BAD_REQUEST saying what is wrong with the schedule. */
export function readSchedule({ schedule }: MaintenanceScheduleReq): WantedSchedule {
  const { type } = schedule;
  if (type === 'Manual') return { kind: 'run' };
  if (type === 'None') return { kind: 'remove' };
  if (type === 'Schedule') throw new Problem('BAD_REQUEST', 'schedule.type "Schedule" is a word of answers; use Hourly, Daily, Weekly or Custom with a cron, Manual or None');
  const cron = (schedule.cron ?? '') === '' && type !== 'Custom' ? RHYTHMS[type] : (schedule.cron ?? '');
  const fault = cronFault(cron);
  if (fault !== undefined) throw new Problem('BAD_REQUEST', `schedule.cron: ${fault}`);
  return { kind: 'set', type, cron };
}
