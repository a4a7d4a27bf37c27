import { expect, test } from '@jest/globals';
import { countJest, summary } from './test-counts.mjs';

const report = { numTotalTests: 9, numPassedTests: 5, numFailedTests: 1, numRuntimeErrorTestSuites: 2, numPendingTests: 1, numTodoTests: 2 };
const clean = { ...report, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };

test('files that could not be run are failures, todo tests are skipped', () => {
  expect(countJest(report, 1)).toEqual({ passed: 5, failed: 3, skipped: 3 });
  expect(countJest(clean, 0)).toEqual({ passed: 5, failed: 0, skipped: 3 });
});

test('no report, no tests, or an unexplained exit code is a failure', () => {
  expect(countJest(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countJest(clean, 1).failed).toBe(1);
  expect(countJest({ ...clean, numTotalTests: 0, numPassedTests: 0 }, 0).failed).toBe(1);
});

test('the summary is one line', () => {
  expect(summary([{ passed: 2, failed: 0, skipped: 0 }, { passed: 5, failed: 1, skipped: 0 }])).toEqual({ line: '7 passed, 1 failed', failed: 1 });
  expect(summary([{ passed: 2, failed: 0, skipped: 3 }]).line).toBe('2 passed, 0 failed, 3 skipped');
});
