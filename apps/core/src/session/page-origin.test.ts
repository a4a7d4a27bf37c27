import { describe, expect, test } from '@jest/globals';
import { isCrossSite, isForeignPage, isUnsafe } from './page-origin.js';

test('methods that change nothing are safe', () => {
  expect(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'get'].map(isUnsafe)).toEqual([false, false, false, true, true, true, true, true]);
});

describe('I-06: a page of ours', () => {
  const hosts = ['reg.test', '10.0.0.7:8443', undefined];

  test.each([
    [{}],
    [{ origin: 'https://reg.test' }],
    [{ origin: 'http://reg.test' }],
    [{ origin: 'https://reg.test:443' }],
    [{ origin: 'https://10.0.0.7:8443' }],
    [{ origin: 'https://reg.test', 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ origin: 'null', 'sec-fetch-site': 'same-origin' }],
  ])('may send %j', (headers) => {
    expect(isForeignPage(headers, hosts)).toBe(false);
  });

  test.each([
    [{ origin: 'https://evil.test' }],
    [{ origin: 'https://reg.test.evil.test' }],
    [{ origin: 'https://evil-reg.test' }],
    [{ origin: 'https://reg.test:8443' }],
    [{ origin: 'https://10.0.0.7' }],
    [{ origin: 'https://reg.test@evil.test' }],
    [{ origin: 'https://evil.test/reg.test' }],
    [{ origin: 'reg.test' }],
    [{ origin: '' }],
    [{ origin: 'null' }],
    [{ origin: 'null', 'sec-fetch-site': 'none' }],
    [{ origin: 'https://reg.test', 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'SAME-ORIGIN' }],
    [{ origin: 'https://evil.test', 'sec-fetch-site': 'same-origin' }],
  ])('does not send %j', (headers) => {
    expect(isForeignPage(headers, hosts)).toBe(true);
  });

  test('is not told from no browser by its silence', () => {
    expect([{}, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'cross-site' }].map(isCrossSite)).toEqual([false, false, true]);
  });
});
