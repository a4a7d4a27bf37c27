import { expect, test } from '@jest/globals';
import { scopeFault } from './rule-fault.js';
import type { RuleScope, Selector } from './selectors.js';

const TAG: Selector = { kind: 'doublestar', decoration: 'matches', pattern: 'v*' };
const REPOSITORY: Selector = { kind: 'doublestar', decoration: 'repoMatches', pattern: '**' };

function scope(tag: Partial<Selector> = {}, repository: Partial<Selector> = {}): RuleScope {
  return { tag_selectors: [{ ...TAG, ...tag }], scope_selectors: { repository: [{ ...REPOSITORY, ...repository }] } };
}

test.each<[RuleScope]>([
  [scope()], [scope({ decoration: 'excludes', extras: '{"untagged":true}' })], [scope({ extras: '' })], [scope({ extras: '{}' })], [scope({}, { decoration: 'repoExcludes' })],
])('%j is fine', (rule) => {
  expect(scopeFault(rule)).toBeUndefined();
});

test.each<[RuleScope, string]>([
  [scope({ kind: 'regexp' }), 'kind'], [scope({ decoration: 'repoMatches' }), '"matches" or "excludes"'], [scope({}, { decoration: 'matches' }), '"repoMatches" or "repoExcludes"'],
  [scope({ pattern: '' }), 'it is empty'], [scope({}, { pattern: '{a' }), 'not closed'], [scope({ pattern: '*/'.repeat(65) }), 'stars'], [scope({ extras: 'yes' }), 'extras'], [scope({ extras: '{"untagged":1}' }), 'extras'],
  [{ tag_selectors: [], scope_selectors: { repository: [REPOSITORY] } }, 'tag_selectors must hold 1 to 10'],
  [{ tag_selectors: [TAG], scope_selectors: {} }, 'scope_selectors.repository must hold 1 to 10'],
  [{ tag_selectors: Array.from({ length: 11 }, () => TAG), scope_selectors: { repository: [REPOSITORY] } }, 'tag_selectors must hold 1 to 10'],
  [{ tag_selectors: [TAG], scope_selectors: { repository: [REPOSITORY], project: [REPOSITORY] } }, 'nothing but "repository"'],
])('%j is refused: %s', (rule, fault) => {
  expect(scopeFault(rule)).toContain(fault);
});
