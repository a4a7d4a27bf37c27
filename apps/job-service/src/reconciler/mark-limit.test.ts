import { expect, test } from '@jest/globals';
import { mostToMark } from './mark-limit.js';

test.each([[0, 0], [1, 0], [2, 1], [3, 1], [19, 9], [20, 10], [100, 10], [109, 10], [110, 11], [1000, 100], [1_000_000, 100_000]])('of %i blobs at most %i are marked as lost', (known, most) => {
  expect(mostToMark(known)).toBe(most);
});
