import { expect, test } from '@jest/globals';
import { OwnerTurns } from './owner-turns.js';

test('of one owner only so many run at once; the others wait in their order, and nobody else does', () => {
  const turns = new OwnerTurns();
  expect([turns.enter('alpha', 1, 2), turns.enter('alpha', 2, 2), turns.enter('alpha', 3, 2), turns.enter('alpha', 4, 2)]).toEqual([true, true, false, false]);
  expect(turns.enter('bravo', 5, 2)).toBe(true);
  expect([turns.next('alpha'), turns.next('alpha'), turns.next('alpha'), turns.next('bravo')]).toEqual([3, 4, undefined, undefined]);
  turns.leave('alpha');
  expect([turns.enter('alpha', 6, 2), turns.enter('alpha', 7, 2)]).toEqual([true, false]);
});

test('what waits is bounded, and forgotten with the last who could go on with it', () => {
  const turns = new OwnerTurns({ mostOfOwner: 2 });
  for (const task of [1, 2, 3, 4]) turns.enter('alpha', task, 1);
  expect([turns.next('alpha'), turns.next('alpha'), turns.next('alpha')]).toEqual([2, 3, undefined]);
  for (const task of [5, 6]) turns.enter('alpha', task, 1);
  turns.leave('alpha');
  expect(turns.next('alpha')).toBeUndefined();
  expect([turns.enter('alpha', 7, 1), turns.enter('alpha', 8, 1), turns.enter('alpha', 9, 1)]).toEqual([true, false, false]);
  expect([turns.next('alpha'), turns.next('alpha')]).toEqual([8, 9]);
});

test('a task that is told of again while it waits, waits once and keeps its place', () => {
  const turns = new OwnerTurns({ mostOfOwner: 3 });
  for (const task of [1, 2, 3, 2, 2, 3, 2, 4]) turns.enter('alpha', task, 1);
  expect([turns.next('alpha'), turns.next('alpha'), turns.next('alpha'), turns.next('alpha')]).toEqual([2, 3, 4, undefined]);
  for (const task of [2, 5]) turns.enter('alpha', task, 1);
  expect([turns.next('alpha'), turns.next('alpha')]).toEqual([2, 5]);
});

test('an owner of whom much waits leaves room for what waits of others; of all together only so much does', () => {
  const turns = new OwnerTurns({ mostOfOwner: 3, mostWaiting: 5 });
  for (const task of [1, 2, 3, 4, 5, 6, 7]) turns.enter('alpha', task, 1);
  for (const task of [11, 12, 13, 14]) turns.enter('bravo', task, 1);
  expect([turns.next('bravo'), turns.next('bravo'), turns.next('bravo')]).toEqual([12, 13, undefined]);
  expect([turns.next('alpha'), turns.next('alpha'), turns.next('alpha'), turns.next('alpha')]).toEqual([2, 3, 4, undefined]);
});
