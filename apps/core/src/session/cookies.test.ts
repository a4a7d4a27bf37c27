import { describe, expect, test } from '@jest/globals';
import { cookie, cookieValue, expiredCookie } from './cookies.js';

describe('cookieValue', () => {
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['sid=a', 'a'],
    ['other=1; sid=a==; _sid=2', 'a=='],
    ['sid=', ''],
    ['sid=a; sid=b', undefined],
    ['sid=a; sid=a', undefined],
    ['xsid=a', undefined],
    ['SID=a', undefined],
    ['; ;=; sid', undefined],
  ])('of %j is %j', (header, value) => {
    expect(cookieValue(header, 'sid')).toBe(value);
  });

  test('of a thousand cookies takes no time', () => {
    const header = Array.from({ length: 1000 }, (_, index) => `c${index}=${'x'.repeat(10)}`).join('; ');
    const started = performance.now();
    expect(cookieValue(`${header}; sid=a`, 'sid')).toBe('a');
    expect(performance.now() - started).toBeLessThan(200); // linear: some milliseconds, also on a busy machine
  });
});

test('A-16: cookies are for this host, for the server only, and for TLS where there is TLS', () => {
  expect(cookie('sid', 'a', { secure: true, sameSite: 'Lax' })).toBe('sid=a; Path=/; HttpOnly; SameSite=Lax; Secure');
  expect(cookie('sid', 'a', { secure: false, sameSite: 'Strict' })).toBe('sid=a; Path=/; HttpOnly; SameSite=Strict');
  expect(expiredCookie('sid', { secure: false, sameSite: 'Lax' })).toBe('sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0');
});
