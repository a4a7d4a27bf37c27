export type {
  Attributes, CountsOfExecutions, DueTasks, Execution, ExecutionFilter, ExecutionOwner, Listed, NewExecution, PageOf, StartedExecution, Task, TaskPlace, TaskReport,
} from './execution.js';
export { Executions, type ExecutionParts } from './executions.js';
export {
  maintenanceOwner, planMaintenance, type AuditPurgeParameters, type GarbageParameters, type Maintenance, type MaintenanceToPlan,
} from './maintenance/maintenance-plan.js';
export {
  planReconciliation, RECONCILIATION, type MarkLost, type ReconciliationCount, type ReconciliationProgress, type ReconciliationRun, type ReconciliationToPlan,
} from './reconciliation/reconciliation-plan.js';
export { planRetention, type RetentionRun, type RetentionTask, type RetentionToPlan, type StoredRetention } from './retention/retention-plan.js';
export { exportsOf } from './scan/scan-data-export.js';
export { ScheduleClock, type ClockParts, type ScheduleStarter } from './schedule-clock.js';
export { SCHEDULER, Schedules, type NewSchedule, type Schedule } from './schedules.js';
export { STATUS_CODES, type ExecutionStatus, type ExecutionTrigger, type FinalStatus, type TaskCounts } from './status.js';
export type { ClaimedTask } from './task-claim.js';
export type { TaskLog } from './task-log.js';
export { QUEUES, TaskQueues, type TaskQueue } from './task-queues.js';
export { TaskSweep, type SweepParts } from './task-sweep.js';
export { TaskFailure, TaskInterrupted, TaskWorker, type Interruption, type TaskContext, type TaskHandler, type WorkerParts } from './task-worker.js';
export { WorkerPools, type BusyWorker, type LivingPool, type WorkerPool } from './worker-pools.js';
export { endDelivery, lockSubjects, restartDeliveries, startDeliveries, type DeliveryToEnd, type DeliveryToRestart, type DeliveryToStart, type EndOfDelivery } from './webhook/webhook-delivery.js';
export { noteOutage, OUTAGE_UNTRIED, releaseTargets, type WebhookTarget } from './webhook/webhook-outage.js';
export {
  cloudEventTypeOf, notificationId, SYSTEM_WEBHOOK_EVENTS, WEBHOOK_EVENTS, WEBHOOK_FORMATS, webhookSecretContext, webhookVendorOf, type Notification, type StoredTarget, type WebhookEventType, type WebhookTargetType,
} from './webhook/webhook-policy.js';
export { isVendorType, VENDOR_TYPES, vendorOf, type Vendor, type VendorType } from './vendor.js';
