import type { Configuration } from '@haven/api';
import type { SettingsTable } from '@haven/database';
import { planRetention, type ScheduleStarter, type VendorType } from '@haven/execution';

const READ_ONLY = 'the installation is in read-only mode; nothing was deleted';

/** What each kind of schedule starts when its time has come. */
export function scheduleStarters(settings: Pick<SettingsTable<Configuration>, 'current'>): Readonly<Record<VendorType, ScheduleStarter>> {
  return {
    RETENTION: async (transaction, { vendorId }) => {
      const { read_only: readOnly } = await settings.current();
      return planRetention(transaction, { policyId: vendorId, trigger: 'SCHEDULE', startedBy: '', dryRun: false, ...(readOnly ? { refusal: READ_ONLY } : {}) });
    },
  };
}
