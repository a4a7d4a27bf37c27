import { describe, expect, test } from '@jest/globals';
import { isWorthALine, secondsToWait } from './login-delay.js';

const none = { pair: 0, pairAge: 0, account: 0, address: 0 };

describe('the time to wait', () => {
  test('is nothing for four mistakes, then doubles up to a minute', () => {
    const waits = Array.from({ length: 14 }, (_, pair) => secondsToWait({ ...none, pair, account: pair, address: pair }));
    expect(waits).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(secondsToWait({ ...none, pair: 1_000_000, account: 1_000_000 })).toBe(60);
  });

  test('passes', () => {
    const after = (pairAge: number): number => secondsToWait({ pair: 8, pairAge, account: 8, address: 8 });
    expect([0, 0.4, 1, 7.5, 8, 1000].map(after)).toEqual([8, 8, 7, 1, 0, 0]);
  });

  test('of an account that many guess at is a minute after each mistake, and nothing before the first', () => {
    expect(secondsToWait({ pair: 1, pairAge: 10, account: 50, address: 1 })).toBe(50);
    expect(secondsToWait({ ...none, account: 1_000_000, address: 1_000_000 })).toBe(0);
  });
});

describe('the audit trail', () => {
  test.each([[1, 1, true], [100, 3, true], [3, 100, true], [101, 1, false], [1, 199, false], [1, 200, true], [300, 1, true]])('%i for the account, %i from the address: %s', (account, address, line) => {
    expect(isWorthALine({ ...none, account, address })).toBe(line);
  });
});
