import { expect, test } from '@jest/globals';
import { statusOfTasks, taskCounts, type ExecutionStatus } from './status.js';

test.each<[ExecutionStatus[], ExecutionStatus]>([
  [[], 'Success'], [['Success'], 'Success'], [['Success', 'Stopped'], 'Stopped'], [['Stopped', 'Error', 'Success'], 'Error'],
  [['Error', 'Pending'], 'Running'], [['Stopped', 'Scheduled'], 'Running'], [['Success', 'Running'], 'Running'],
])('tasks that are %j make an execution %s', (tasks, status) => {
  expect(statusOfTasks(taskCounts(tasks.map((one) => ({ status: one, count: 1 }))))).toBe(status);
});
