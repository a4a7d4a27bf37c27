import { expect, test } from '@jest/globals';
import { nextLink } from './link.js';

test('an ordinary address goes in unchanged', () => {
  expect(nextLink('/v2/a/b/tags/list?n=2&last=v1.0_x%2F')).toBe('</v2/a/b/tags/list?n=2&last=v1.0_x%2F>; rel="next"');
});

test('nothing leaves the brackets or the line', () => {
  expect(nextLink('/v2/?last="><x>\r\nSet-Cookie: a=b\0 \u00e9\u{1f600}\ud800')).toBe(
    '</v2/?last=%22%3E%3Cx%3E%0D%0ASet-Cookie:%20a=b%00%20%C3%A9%F0%9F%98%80%EF%BF%BD>; rel="next"',
  );
});
