import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { VerifiedPasswords } from './verified-passwords.js';

function counted(result: boolean): { readonly verify: () => Promise<boolean>; readonly times: () => number } {
  let times = 0;
  return {
    verify: async () => {
      times += 1;
      return result;
    },
    times: () => times,
  };
}

afterEach(() => { jest.useRealTimers(); });

describe('verified passwords', () => {
  test('are not remembered for longer when somebody puts the clock back', async () => {
    const passwords = new VerifiedPasswords(undefined, 20);
    const { verify, times } = counted(true);
    await passwords.check('id 1', 'hash', 'secret', verify);
    jest.useFakeTimers({ now: Date.now() - 3_600_000, doNotFake: ['performance', 'setTimeout', 'nextTick', 'queueMicrotask'] });
    await sleep(30);
    await passwords.check('id 1', 'hash', 'secret', verify);
    expect(times()).toBe(2);
  });

  test('are remembered for a minute', async () => {
    let now = 0;
    const passwords = new VerifiedPasswords(() => now);
    const { verify, times } = counted(true);
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await passwords.check('id 1', 'hash', 'secret', verify)).toBe(true);
    expect(times()).toBe(1);
    now = 61_000;
    expect(await passwords.check('id 1', 'hash', 'secret', verify)).toBe(true);
    expect(times()).toBe(2);
  });

  test('are not mixed up: another account, another stored hash or another password is checked anew', async () => {
    const passwords = new VerifiedPasswords();
    await passwords.check('id 1', 'hash', 'secret', counted(true).verify);
    for (const [account, hash, password] of [['id 2', 'hash', 'secret'], ['id 1', 'new hash', 'secret'], ['id 1', 'hash', 'secret2'], ['id 1', 'hashsec', 'ret'], ['id 1h', 'ash', 'secret']] as const) {
      expect(await passwords.check(account, hash, password, counted(false).verify)).toBe(false);
    }
  });

  test('that were wrong are never remembered', async () => {
    const passwords = new VerifiedPasswords();
    const { verify, times } = counted(false);
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await passwords.check('id 1', 'hash', 'wrong', verify)).toBe(false);
    expect(times()).toBe(3);
  });

  test('asked for at the same time are checked once, also when that fails', async () => {
    const passwords = new VerifiedPasswords();
    const { verify, times } = counted(true);
    expect(await Promise.all(Array.from({ length: 20 }, () => passwords.check('id 1', 'hash', 'secret', verify)))).toEqual(Array(20).fill(true));
    expect(times()).toBe(1);
    const failing = (): Promise<boolean> => Promise.reject(new Error('queue full'));
    await expect(passwords.check('id 1', 'hash', 'other', failing)).rejects.toThrow('queue full');
    expect(await passwords.check('id 1', 'hash', 'other', counted(true).verify)).toBe(true);
  });
});
