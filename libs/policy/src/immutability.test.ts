import { describe, expect, test } from '@jest/globals';
import { immutabilityOf, isImmutable, type ImmutabilityRule } from './immutability.js';
import { selectsUntagged, type Selector } from './selectors.js';

function selector(decoration: string, pattern: string, extras?: string): Selector {
  return { kind: 'doublestar', decoration, pattern, extras };
}

function rule(tag: readonly [string, string], repository: readonly [string, string] = ['repoMatches', '**'], disabled = false): ImmutabilityRule {
  return { disabled, tag_selectors: [selector(...tag)], scope_selectors: { repository: [selector(...repository)] } };
}

describe('a tag is immutable', () => {
  test.each<[string, ImmutabilityRule[], string, string, boolean]>([
    ['never without rules', [], 'app', 'v1', false],
    ['when the patterns match', [rule(['matches', 'v*'])], 'app', 'v1', true],
    ['not when the tag does not match', [rule(['matches', 'v*'])], 'app', 'latest', false],
    ['not when the repository does not match', [rule(['matches', 'v*'], ['repoMatches', 'team/**'])], 'app', 'v1', false],
    ['in repositories below a path', [rule(['matches', 'v*'], ['repoMatches', 'team/**'])], 'team/a/b', 'v1', true],
    ['when excludes does not match the tag', [rule(['excludes', 'v*'])], 'app', 'latest', true],
    ['not when excludes matches the tag', [rule(['excludes', 'v*'])], 'app', 'v1', false],
    ['when repoExcludes does not match', [rule(['matches', '**'], ['repoExcludes', 'test'])], 'app', 'v1', true],
    ['not when the rule is disabled', [rule(['matches', '**'], ['repoMatches', '**'], true)], 'app', 'v1', false],
    ['when any of several rules says so', [rule(['matches', 'a']), rule(['matches', 'b'])], 'app', 'b', true],
    ['not by decorations that do not exist', [rule(['equals', 'v1']), rule(['matches', 'v1'], ['matches', '**'])], 'app', 'v1', false],
  ])('%s', (_name, rules, repository, tag, expected) => {
    expect(isImmutable(rules, repository, tag)).toBe(expected);
  });

  test('by the first selectors of a rule alone', () => {
    const rules = [{ disabled: false, tag_selectors: [selector('matches', 'a'), selector('matches', 'b')], scope_selectors: { repository: [selector('repoMatches', 'x'), selector('repoMatches', 'y')] } }];
    expect(isImmutable(rules, 'x', 'a')).toBe(true);
    expect(isImmutable(rules, 'x', 'b')).toBe(false);
    expect(isImmutable(rules, 'y', 'a')).toBe(false);
  });

  test('not by rules without selectors', () => {
    expect(isImmutable([{ disabled: false, tag_selectors: [], scope_selectors: { repository: [selector('repoMatches', '**')] } }], 'x', 'a')).toBe(false);
    expect(isImmutable([{ disabled: false, tag_selectors: [selector('matches', '**')], scope_selectors: {} }], 'x', 'a')).toBe(false);
  });
});

test('an untagged artifact is immutable when a rule excludes tags', () => {
  expect(immutabilityOf([rule(['matches', '**'])], 'app')(undefined)).toBe(false);
  expect(immutabilityOf([rule(['excludes', 'v*'])], 'app')(undefined)).toBe(true);
  expect(immutabilityOf([rule(['excludes', 'v*'], ['repoMatches', 'other'])], 'app')(undefined)).toBe(false);
});

test.each([
  ['matches', undefined, true], ['matches', '{"untagged":true}', true], ['matches', '{"untagged":false}', false], ['matches', '', true], ['matches', 'nonsense', true],
  ['excludes', undefined, true], ['excludes', '{"untagged":true}', false], ['excludes', '{"untagged":false}', true], ['excludes', '[1]', true], ['excludes', '{"untagged":"x"}', true],
  ['other', undefined, false],
])('%s with extras %j selects untagged artifacts: %j', (decoration, extras, expected) => {
  expect(selectsUntagged(selector(decoration, '**', extras))).toBe(expected);
});
