import { describe, expect, test } from '@jest/globals';
import { compilePattern, patternFault } from './pattern.js';

describe('F-11: a regular expression is found anywhere, unless it says where:', () => {
  test.each([['^dev-', 'dev-a'], ['dev', 'a-dev-b'], ['^(?:dev|ops)-[a-z0-9]+$', 'ops-7'], ['(?i)^DEV', 'dev-a'], ['^\\p{L}+$', 'größe'], ['^a.c$', 'a\u{1F600}c'], ['', 'anything'], ['^team/.*$', 'team/a/b']])('%s in %s', (pattern, text) => {
    expect(compilePattern(pattern)(text)).toBe(true);
  });

  test.each([['^dev-', 'a-dev-'], ['^dev$', 'developers'], ['^[a-c]+$', 'abcd'], ['\\d', 'none'], ['^a.c$', 'a\nc']])('%s not in %j', (pattern, text) => {
    expect(compilePattern(pattern)(text)).toBe(false);
  });
});

test.each(['(', '[', 'a**', '(?=a)', '(?<!a)', '(a)\\1', '\\', 'a{2,1}', '(?P<n', '(a{1000}){1000}', '(((a{100}){100}){100}', 'x'.repeat(256)])('%.30s is none', (pattern) => {
  expect(patternFault(pattern)).toBeDefined();
  expect(() => compilePattern(pattern)).toThrow('the regular expression');
});

describe('M-09: no pattern takes long, whatever it is and is looked for in', () => {
  const HOSTILE = [
    '(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(a*)*b', '^(.*)*$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*a){20}', '(?:a?){60}a{60}', `${'(a?'.repeat(60)}${')'.repeat(60)}${'a'.repeat(10)}`, `${'('.repeat(60)}a${')*'.repeat(60)}$`,
    '((a{0,30}){0,30})*$', '[a-z]{1,1000}b', '(.{0,100}){10}b', '(?:.*){100}b',
  ];

  test.each(HOSTILE)('%.40s', (pattern) => {
    const begun = performance.now();
    if (patternFault(pattern) === undefined) {
      const find = compilePattern(pattern);
      for (const text of ['a'.repeat(1000), `${'a'.repeat(1000)}!`, 'xa'.repeat(500), '\u{1F600}'.repeat(500)]) find(text);
    }
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});
