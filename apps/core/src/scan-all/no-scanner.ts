import { Problem } from '@haven/api';

export function noScanner(): Problem {
  return new Problem('PRECONDITION', 'no scanner is configured; there is nothing to scan with');
}
