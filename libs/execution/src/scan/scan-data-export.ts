import type { ExecutionOwner } from '../execution.js';

/** Whose executions a person's exports of vulnerabilities are. Their attributes name the `projects` that they are of. */
export function exportsOf(user: number): ExecutionOwner {
  return { vendorType: 'SCAN_DATA_EXPORT', vendorId: user };
}
