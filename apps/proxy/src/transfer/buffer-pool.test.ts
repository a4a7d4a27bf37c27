import { expect, test } from '@jest/globals';
import { BUFFER_BYTES, BufferPool } from './buffer-pool.js';

test('a pool lends no more than its limit and uses buffers again', () => {
  const pool = new BufferPool(3);
  const pair = pool.borrowPair();
  expect(pair?.map((buffer) => buffer.length)).toEqual([BUFFER_BYTES, BUFFER_BYTES]);
  expect(pool.borrowPair()).toBeUndefined();
  const third = pool.borrow();
  expect(third).toBeDefined();
  expect(pool.borrow()).toBeUndefined();
  expect(pool.lent).toBe(3);
  pool.giveBack(third as Buffer);
  expect(pool.borrow()).toBe(third);
});

test('a forgotten buffer makes room for a new one and is never lent again', () => {
  const pool = new BufferPool(1);
  const first = pool.borrow();
  pool.forget();
  const second = pool.borrow();
  expect(second).toBeDefined();
  expect(second).not.toBe(first);
});
