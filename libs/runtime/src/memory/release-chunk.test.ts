import { expect, test } from '@jest/globals';
import { isWorthReleasing, releaseChunk, releaseWhenWritten } from './release-chunk.js';

const large = (): Buffer => Buffer.from(new ArrayBuffer(64 * 1024));

test('a large chunk that owns its memory gives it back', () => {
  const chunk = large();
  releaseChunk(chunk);
  expect(chunk.length).toBe(0);
});

test('memory that others can see is left alone', () => {
  const whole = large();
  releaseChunk(whole.subarray(0, 32 * 1024));
  releaseChunk(whole.subarray(1));
  const pooled = Buffer.from('small');
  releaseChunk(pooled);
  expect([whole.length, pooled.toString()]).toEqual([64 * 1024, 'small']);
  expect(isWorthReleasing(whole)).toBe(true);
});

test('after a failed write the memory stays', () => {
  const chunk = large();
  releaseWhenWritten(chunk)(new Error('reset'));
  expect(chunk.length).toBe(64 * 1024);
  releaseWhenWritten(chunk)(null);
  expect(chunk.length).toBe(0);
});
