/** Where an execution or task stands, in the words of the Harbor API; the last three are final. */
export type ExecutionStatus = 'Pending' | 'Scheduled' | 'Running' | 'Stopped' | 'Error' | 'Success';

/** What a task or execution ends as. */
export type FinalStatus = 'Stopped' | 'Error' | 'Success';

/** What caused an execution. */
export type ExecutionTrigger = 'MANUAL' | 'SCHEDULE' | 'EVENT';

/** How many tasks stand where. */
export type TaskCounts = Readonly<Record<ExecutionStatus, number>>;

/** The number that the Harbor API gives along with a status. */
export const STATUS_CODES: Readonly<Record<ExecutionStatus, number>> = { Pending: 0, Scheduled: 1, Running: 2, Stopped: 3, Error: 3, Success: 3 };

/** Where an execution stands whose tasks stand so: running while one is not at its end, else as bad as the worst of them. */
export function statusOfTasks(counts: TaskCounts): ExecutionStatus {
  if (counts.Pending + counts.Scheduled + counts.Running > 0) return 'Running';
  if (counts.Error > 0) return 'Error';
  return counts.Stopped > 0 ? 'Stopped' : 'Success';
}

/** The counts behind rows of a status and a number. */
export function taskCounts(rows: Iterable<{ readonly status: ExecutionStatus; readonly count: number }>): TaskCounts {
  const counts = { Pending: 0, Scheduled: 0, Running: 0, Stopped: 0, Error: 0, Success: 0 };
  for (const { status, count } of rows) counts[status] += count;
  return counts;
}
