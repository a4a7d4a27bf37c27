import type { Configuration } from '@haven/api';
import type { SettingsTable } from '@haven/database';
import { planMaintenance, planReconciliation, planRetention, type Maintenance, type ReconciliationRun, type ScheduleStarter, type VendorType } from '@haven/execution';

const READ_ONLY = 'the installation is in read-only mode; nothing was deleted';
const STILL_RUNNING = 'the run before has not ended yet; nothing was deleted';

/** What each kind of schedule starts when its time has come. */
export function scheduleStarters(settings: Pick<SettingsTable<Configuration>, 'current'>): Readonly<Partial<Record<VendorType, ScheduleStarter>>> {
  const maintenance = (type: Maintenance): ScheduleStarter => async (_transaction, { parameters }) => {
    const refused = (await settings.current()).read_only && parameters['dry_run'] !== true;
    return planMaintenance({ type, trigger: 'SCHEDULE', startedBy: '', parameters, refusal: refused ? READ_ONLY : undefined });
  };
  return {
    GARBAGE_COLLECTION: maintenance('GARBAGE_COLLECTION'),
    PURGE_AUDIT_LOG: maintenance('PURGE_AUDIT_LOG'),
    STORAGE_RECONCILIATION: async (_transaction, { parameters }) => planReconciliation({ trigger: 'SCHEDULE', startedBy: '', run: parameters as unknown as ReconciliationRun }),
    RETENTION: async (transaction, { vendorId }) => {
      const { read_only: readOnly } = await settings.current();
      // A schedule may come more often than its runs end: what waits must not grow without bound.
      const unfinished = await transaction.query(`SELECT 1 FROM execution WHERE vendor_type = 'RETENTION' AND vendor_id = $1 AND ended_at IS NULL LIMIT 1`, [vendorId]);
      const refusal = readOnly ? READ_ONLY : unfinished.length > 0 ? STILL_RUNNING : undefined;
      return planRetention(transaction, { policyId: vendorId, trigger: 'SCHEDULE', startedBy: '', dryRun: false, ...(refusal === undefined ? {} : { refusal }) });
    },
  };
}
