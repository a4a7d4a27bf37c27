import { describe, expect, test } from '@jest/globals';
import { addressGroup, LoginThrottle } from './login-throttle.js';

function throttleAt(): { readonly throttle: LoginThrottle; pass(seconds: number): void } {
  let now = 1_000_000;
  return { throttle: new LoginThrottle(() => now), pass: (seconds) => (now += seconds * 1000) };
}

describe('the throttle', () => {
  test('lets five mistakes pass, then doubles the wait up to a minute', () => {
    const { throttle, pass } = throttleAt();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 13; attempt += 1) {
      throttle.failed('alice', '192.0.2.1');
      const wait = throttle.secondsToWait('alice', '192.0.2.1');
      waits.push(wait);
      pass(wait);
      expect(throttle.secondsToWait('alice', '192.0.2.1')).toBe(0);
    }
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test('touches neither other addresses nor other accounts', () => {
    const { throttle } = throttleAt();
    for (let attempt = 0; attempt < 10; attempt += 1) throttle.failed('alice', '192.0.2.1');
    expect(throttle.secondsToWait('alice', '192.0.2.1')).toBeGreaterThan(0);
    expect(throttle.secondsToWait('alice', '192.0.2.2')).toBe(0);
    expect(throttle.secondsToWait('bob', '192.0.2.1')).toBe(0);
    expect(() => throttle.requireNoWait('alice', '192.0.2.1')).toThrow('try again in');
  });

  test('forgets after a success and after a quarter of an hour', () => {
    const { throttle, pass } = throttleAt();
    for (let attempt = 0; attempt < 10; attempt += 1) throttle.failed('alice', '192.0.2.1');
    throttle.succeeded('alice', '192.0.2.1');
    expect(throttle.secondsToWait('alice', '192.0.2.1')).toBe(0);
    for (let attempt = 0; attempt < 4; attempt += 1) throttle.failed('alice', '192.0.2.1');
    pass(16 * 60);
    throttle.failed('alice', '192.0.2.1');
    expect(throttle.secondsToWait('alice', '192.0.2.1')).toBe(0);
  });

  test('stays within its size, dropping the oldest', () => {
    const { throttle } = throttleAt();
    for (let attempt = 0; attempt < 10; attempt += 1) throttle.failed('old', '192.0.2.1');
    for (let index = 0; index < 20_000; index += 1) throttle.failed(`name-${index}`, '192.0.2.1');
    expect(throttle.secondsToWait('old', '192.0.2.1')).toBe(0);
  });
});

describe('addressGroup', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1:2:3:4', 'fe80:0:0:0::/64'],
  ])('%s is %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
