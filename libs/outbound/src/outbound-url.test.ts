import { describe, expect, test } from '@jest/globals';
import { headerFault } from './outbound-headers.js';
import { urlFault } from './outbound-url.js';

describe('H-02: addresses that nothing is sent to', () => {
  test.each([
    'file:///etc/passwd', 'gopher://a/', 'ftp://a/', 'unix:/var/run/docker.sock', 'data:text/plain,a', 'javascript:alert(1)', 'ws://a/', 'http:a', 'http:/a', 'https://', 'http:///a', 'http://?a', 'http://#', '//a/b', 'a.example', '',
    'http://a/\n', 'http://a\t/', ' http://a/', 'http://a/ b', 'http://a\\@b/', 'http://user@a/', 'http://user:password@a/', 'http://@a/', 'http://:@a/', 'http://a/#b', 'http://a:99999/', 'http://[::1', `http://a/${'b'.repeat(2048)}`, 'http://a/\u0000', 'http://a/\u2028',
  ])('%j', (text) => { expect(urlFault(text)).toBeDefined(); });
});

test.each(['http://a.example/', 'HTTP://A.example', 'https://a.example:8443/b?c=d', 'http://[2606:4700::1]:80/', 'https://a/b@c'])('H-02: %s is an address', (text) => {
  expect(urlFault(text)).toBeUndefined();
});

test.each([
  ['Authorization', 'Bearer a\r\nX-Evil: 1'], ['Authorization', 'a\nb'], ['Authorization', 'a\0'], ['Authorization', 'a\u{1F600}'], ['Authorization', 'a'.repeat(16_385)],
  ['A b', 'c'], ['A\r\nB', 'c'], ['', 'c'], ['Host', 'b'], ['content-length', '0'], ['Transfer-Encoding', 'chunked'], ['Proxy', 'http://evil/'], ['Connection', 'upgrade'],
])('%j: %j is no header (cases G-11, H-15)', (name, value) => { expect(headerFault(name, value)).toBeDefined(); });

test('others are', () => {
  expect(headerFault('Authorization', 'Bearer a.b-c=\tü')).toBeUndefined();
});
