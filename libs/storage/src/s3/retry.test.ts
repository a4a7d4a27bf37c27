import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { StorageError } from '../storage-error.js';
import { isGone, isTransient, s3Failure, S3Interruption, S3Refusal } from './failure.js';
import { Permits } from './permits.js';
import { retry } from './retry.js';

const POLICY = { attempts: 4, baseMs: 1, capMs: 2, totalMs: 1_000 };

describe('retrying', () => {
  test('ends with the first success', async () => {
    let calls = 0;
    expect(await retry(POLICY, async () => {
      calls += 1;
      if (calls < 3) throw new S3Refusal(503, 'SlowDown');
      return 'done';
    })).toBe('done');
    expect(calls).toBe(3);
  });

  test.each([
    ['what passes, a number of times', new S3Interruption('cut'), 4],
    ['what does not pass, once', new S3Refusal(403, 'AccessDenied'), 1],
    ['bugs, once', new TypeError('bug'), 1],
  ])('calls for %s', async (_, error, times) => {
    let calls = 0;
    await expect(retry(POLICY, async () => {
      calls += 1;
      throw error;
    })).rejects.toBe(error);
    expect(calls).toBe(times);
  });

  test('ends when the time is over', async () => {
    let calls = 0;
    await expect(retry({ ...POLICY, attempts: 1_000, totalMs: -1 }, async () => {
      calls += 1;
      throw new S3Interruption('cut');
    })).rejects.toThrow('cut');
    expect(calls).toBe(1);
  });
});

describe('failures', () => {
  const coded = (code: string): Error => Object.assign(new Error('text with AKIDEXAMPLE'), { code });
  test.each<[string, unknown, string]>([
    ['a full store', new S3Refusal(507, 'XMinioStorageFull'), 'full'],
    ['a full store that answers 503', new S3Refusal(503, 'QuotaExceeded'), 'full'],
    ['an overloaded store', new S3Refusal(503, 'SlowDown'), 'unavailable'],
    ['a broken connection', coded('ECONNRESET'), 'unavailable'],
    ['an error after a 200', { Code: 'InternalError', Message: 'text with AKIDEXAMPLE' }, 'unavailable'],
    ['a wrong key', new S3Refusal(403, 'SignatureDoesNotMatch'), 'broken'],
    ['a certificate', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'broken'],
  ])('of %s get the right kind and tell nothing of the original', (_, error, kind) => {
    const failure = s3Failure(error, 'work');
    expect(failure).toMatchObject({ kind, name: 'StorageError' });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('AKIDEXAMPLE');
  });

  test.each([[new StorageError('full', 'ours')], [new TypeError('a bug')]])('that are ours, or bugs, stay as they are: %s', (error) => {
    expect(s3Failure(error, 'work')).toBe(error);
  });

  test.each([[new S3Refusal(404, ''), true], [new S3Refusal(404, 'NoSuchKey'), true], [new S3Refusal(404, 'NoSuchUpload'), true], [new S3Refusal(404, 'NoSuchBucket'), false], [new S3Refusal(403, ''), false]])('tell what is gone: %s', (error, gone) => {
    expect(isGone(error)).toBe(gone);
    expect(isTransient(error)).toBe(false);
  });
});

test('permits let so many work at a time, and are given back by failures too', async () => {
  const permits = new Permits(2);
  let working = 0;
  let most = 0;
  const results = await Promise.allSettled(Array.from({ length: 7 }, (_, index) => permits.hold(async () => {
    working += 1;
    most = Math.max(most, working);
    await new Promise((resolve) => setTimeout(resolve, 1));
    working -= 1;
    if (index % 2 === 0) throw new Error('failed');
  })));
  expect(most).toBe(2);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected']);
});
