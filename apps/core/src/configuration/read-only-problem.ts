import { Problem } from '@haven/api';

/** The refusal of every change while the installation is read-only. */
export function readOnlyProblem(): Problem {
  return new Problem('DENIED', 'the system is in read-only mode: nothing can be changed until an administrator ends it');
}
