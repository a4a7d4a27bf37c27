import { describe, expect, test } from '@jest/globals';
import { globFault, globMatcher, matchesGlob } from './glob.js';

describe('a pattern matches', () => {
  test.each([
    ['**', ''], ['**', 'a/b/c'], ['*', ''], ['*', 'v1.0'], ['v?.*', 'v1.0'], ['v1.0', 'v1.0'],
    ['team/**', 'team/a/b'], ['**/app', 'app'], ['**/app', 'a/b/app'], ['a/**/b', 'a/b'], ['a/**/b', 'a/x/y/b'],
    ['a*b*c', 'aXbYc'], ['{a,b}', 'b'], ['{a,{b,c}d}e', 'cde'], ['x{,y}', 'x'], ['{dev,rc}-*', 'rc-7'], ['{**,x}/y', 'a/b/y'],
    ['[a-c]1', 'b1'], ['[^a-c]1', 'd1'], ['[!ab]', 'c'], ['[]a]', ']'], ['[a-]', '-'], [String.raw`[\]]`, ']'],
    [String.raw`\*`, '*'], [String.raw`\{a\}`, '{a}'], ['a,b', 'a,b'], ['ü?', 'üß'], ['?', '😀'], ['{[,}],x}', '}'],
  ])('%j %j', (pattern, text) => {
    expect(matchesGlob(pattern, text)).toBe(true);
  });
});

describe('F-11: a pattern, which is for the whole text, does not match', () => {
  test.each([
    ['', 'a'], ['*', 'a/b'], ['a**', 'a/b'], ['team/**', 'team'], ['**/app', 'myapp'], ['a/**/b', 'ab'], ['?', ''], ['?', '/'], ['?', 'ab'],
    ['{a,b}', 'c'], ['{a,b}', 'ab'], ['{a,b}', 'a,b'], ['[a-c]', 'd'], ['[^a]', '/'], ['[!/]', '/'], ['v1', 'v1.0'], ['V1', 'v1'], ['{}', 'a'],
    [String.raw`\*`, 'a'], ['.', 'a'], ['(a|b)', 'a'], ['a+', 'aa'],
    ['foo)|(bar', 'foo'], ['foo)|(bar', 'bar'], ['foo|bar', 'bar'], ['^a', 'a'], ['a$|', 'a'], ['a$', 'a'], ['|', ''], ['bar', 'x/bar/y'], ['*bar*', 'x/bar/y'],
  ])('%j %j', (pattern, text) => {
    expect(matchesGlob(pattern, text)).toBe(false);
  });
});

test('what is not closed is taken as it is when it has to be', () => {
  for (const pattern of ['{a', '[a', 'a{b', '{a{b', 'a\\']) expect(matchesGlob(pattern, pattern)).toBe(true);
});

test.each([
  ['', 'it is empty'], ['x'.repeat(1025), 'it is longer than 1024 characters'], ['*a'.repeat(65), 'it has more than 64 stars'], ['{a', 'a { in it is not closed'],
  ['{[}]', 'a { in it is not closed'], ['[a', 'a [ in it is not closed'], ['a\\', 'it ends in a backslash'], ['[b-a]', 'a range in its brackets is the wrong way round'],
  ['{a,[b-c]*}/**', undefined],
])('F-11: the fault of %j is %j', (pattern, fault) => {
  expect(globFault(pattern)).toBe(fault);
});

describe('M-09: hostile patterns of 1000 characters take linear time on texts of 255', () => {
  const text = 'a'.repeat(254);
  test.each([
    ['stars', '*'.repeat(1000)],
    ['separated stars', '*a'.repeat(500)],
    ['double stars', '**/'.repeat(333)],
    ['question marks and stars', '*?'.repeat(500)],
    ['nested braces', '{'.repeat(500) + '}'.repeat(500)],
    ['nested alternatives', '{a,'.repeat(250) + '}'.repeat(250)],
    ['repeated alternatives', '{a,aa}'.repeat(166)],
    ['repeated empty alternatives', '{,a*,*a,**}'.repeat(90)],
    ['open braces', '{'.repeat(1000)],
    ['open brackets', '['.repeat(1000)],
    ['wide classes', `[${'a-z'.repeat(300)}]*`],
  ])('%s', (_name, pattern) => {
    const before = performance.now();
    const matches = globMatcher(pattern);
    for (let count = 0; count < 3; count += 1) matches(`${text}b`);
    // The worst measured is 60 ms; an exponential one would never end.
    expect(performance.now() - before).toBeLessThan(3000);
  });
});

test('one matcher can be asked again and again', () => {
  const matches = globMatcher('v*-{rc,beta}?');
  expect(['v1-rc1', 'x', 'v1-beta2', 'v1-rc', 'v-rc1'].map(matches)).toEqual([true, false, true, false, true]);
});

test('agrees with the regular expression that a random pattern means', () => {
  const parts: [string, string][] = [['a', 'a'], ['b', 'b'], ['/', '/'], ['?', '[^/]'], ['*', '[^/]*'], ['{a,b}', '(?:a|b)'], ['{a*,}', '(?:a[^/]*|)'], ['[ab]', '[ab]'], ['[^a]', '[^a/]']];
  const random = seeded(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let round = 0; round < 3000; round += 1) {
    const chosen = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(parts));
    const pattern = chosen.map(([glob]) => glob).join('');
    if (/\*\*/.test(pattern)) continue;
    const text = Array.from({ length: Math.floor(random() * 7) }, () => pick(['a', 'b', '/', 'c'])).join('');
    const expected = new RegExp(`^${chosen.map(([, regexp]) => regexp).join('')}$`).test(text);
    expect([pattern, text, matchesGlob(pattern, text)]).toEqual([pattern, text, expected]);
  }
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
