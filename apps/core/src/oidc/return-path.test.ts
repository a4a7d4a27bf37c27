import { expect, test } from '@jest/globals';
import { requiredReturnPath } from './return-path.js';

test.each(['/', '/projects', '/projects/7?page=2&q=a%20b#top', '/harbor/projects/1/repositories/a%2Fb', '/~me', '/?redirect_url=https://evil.test/', '/a//b', '/:80', '/@evil.test', '/a/../b', '/%5Cevil.test', '/%09/evil.test'])('%s stays here', (path) => {
  expect(requiredReturnPath(path)).toBe(path);
});

test.each([
  '', 'projects', '//evil.test', '///evil.test', '/\\evil.test', '\\/evil.test', 'https://evil.test/', 'javascript:alert(1)', '/\tevil', '\t//evil.test', '/ //evil.test', '/\n/evil.test', '/\u0000', '/ä', '/\u202e', `/${'a'.repeat(2048)}`,
  '/..//evil.test', '/.//evil.test', '/a/..//evil.test', '/%2e%2e//evil.test', 'https:evil.test',
])('I-09: %j leads nobody anywhere', (path) => {
  expect(() => requiredReturnPath(path)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});
