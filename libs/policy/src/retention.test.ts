import { describe, expect, test } from '@jest/globals';
import { immutabilityOf, type ImmutabilityRule } from './immutability.js';
import { evaluateRetention, evaluateRetentionInSteps, RETENTION_TEMPLATES, type RetentionCandidate, type RetentionRule, type RetentionTemplate } from './retention.js';
import type { Selector } from './selectors.js';

const NOW = new Date('2026-06-15T12:00:00Z');
const DAY = 24 * 60 * 60 * 1000;

function daysAgo(days: number): Date {
  return new Date(NOW.getTime() - days * DAY);
}

function selector(decoration: string, pattern: string, untagged?: boolean): Selector {
  return { kind: 'doublestar', decoration, pattern, ...(untagged === undefined ? {} : { extras: JSON.stringify({ untagged }) }) };
}

function artifact(digest: string, pushed: number, tags: readonly string[] = [digest], pulled?: number): RetentionCandidate {
  const pulledAt = pulled === undefined ? undefined : daysAgo(pulled);
  return { digest, pushedAt: daysAgo(pushed), pulledAt, tags: tags.map((name) => ({ name, pushedAt: daysAgo(pushed), pulledAt: undefined })) };
}

function rule(template: RetentionTemplate, parameter?: number, tag = selector('matches', '**'), repository = selector('repoMatches', '**')): RetentionRule {
  return { disabled: false, template, params: parameter === undefined ? {} : { [template]: parameter }, tag_selectors: [tag], scope_selectors: { repository: [repository] } };
}

function retained(rules: readonly RetentionRule[], candidates: readonly RetentionCandidate[], immutable: readonly ImmutabilityRule[] = []): string[] | undefined {
  return evaluateRetention({ rules, repository: 'app', candidates, immutable: immutabilityOf(immutable, 'app'), now: NOW })
    ?.filter((decision) => decision.retained).map(({ candidate }) => candidate.digest);
}

const NEVER_PULLED = [artifact('a', 1), artifact('b', 2), artifact('c', 40), artifact('d', 41)];
const PULLED = [artifact('a', 50, ['a'], 3), artifact('b', 51, ['b'], 1), artifact('c', 52, ['c'], 31), artifact('d', 53)];

describe('a rule keeps', () => {
  test.each<[RetentionTemplate, number | undefined, readonly RetentionCandidate[], string[]]>([
    ['latestPushedK', 2, NEVER_PULLED, ['a', 'b']],
    ['latestPushedK', 0, NEVER_PULLED, []],
    ['latestPushedK', undefined, NEVER_PULLED, ['a', 'b', 'c', 'd']],
    ['latestPulledN', 2, PULLED, ['a', 'b']],
    ['latestPulledN', 4, PULLED, ['a', 'b', 'c', 'd']],
    ['nDaysSinceLastPush', 2, NEVER_PULLED, ['a', 'b']],
    ['nDaysSinceLastPush', undefined, NEVER_PULLED, ['a', 'b']],
    ['nDaysSinceLastPush', 20_190_904, NEVER_PULLED, ['a', 'b', 'c', 'd']],
    ['nDaysSinceLastPull', 2, PULLED, ['b']],
    ['nDaysSinceLastPull', undefined, PULLED, ['a', 'b']],
    ['nDaysSinceLastPull', 0, NEVER_PULLED, []],
    ['always', undefined, NEVER_PULLED, ['a', 'b', 'c', 'd']],
    ['latestActiveK', 2, [...PULLED, artifact('e', 2)], ['b', 'e']],
    ['lastXDays', undefined, NEVER_PULLED, ['a', 'b']],
  ])('%s %j', (template, parameter, candidates, kept) => {
    expect(retained([rule(template, parameter)], candidates)).toEqual(kept);
  });
});

test('times are those of the artifact or of its tags, whichever is later', () => {
  const retagged = { ...artifact('old', 100), tags: [{ name: 'new', pushedAt: daysAgo(1), pulledAt: daysAgo(2) }] };
  expect(retained([rule('nDaysSinceLastPush', 5)], [retagged])).toEqual(['old']);
  expect(retained([rule('nDaysSinceLastPull', 5)], [retagged])).toEqual(['old']);
  expect(retained([rule('latestPushedK', 1)], [artifact('newer', 3), retagged])).toEqual(['old']);
});

test('one tag that a rule keeps keeps the artifact with all its tags', () => {
  const candidates = [artifact('x', 1, ['v1', 'temporary']), artifact('y', 1, ['temporary-2'])];
  expect(retained([rule('always', undefined, selector('matches', 'v*'))], candidates)).toEqual(['x']);
  expect(retained([rule('always', undefined, selector('excludes', 'v*'))], candidates)).toEqual(['x', 'y']);
  expect(retained([rule('always', undefined, selector('excludes', '*'))], candidates)).toEqual([]);
});

test('several tag selectors pick what all of them pick, and the template counts among those', () => {
  const both = { ...rule('latestPushedK', 1), tag_selectors: [selector('matches', 'v*'), selector('excludes', '*-rc')] };
  expect(retained([both], [artifact('a', 1, ['v1-rc']), artifact('b', 2, ['v1']), artifact('c', 3, ['v2']), artifact('d', 0, ['latest'])])).toEqual(['b']);
});

test('what any rule keeps stays', () => {
  const rules = [rule('latestPushedK', 1), rule('always', undefined, selector('matches', 'd'))];
  expect(retained(rules, NEVER_PULLED)).toEqual(['a', 'd']);
});

test.each<[string, boolean | undefined, string[]]>([
  ['matches', undefined, ['u']], ['matches', true, ['u']], ['matches', false, []],
  ['excludes', undefined, ['u']], ['excludes', true, []], ['excludes', false, ['u']],
])('%s with untagged %j keeps of the untagged %j', (decoration, untagged, kept) => {
  expect(retained([rule('always', undefined, selector(decoration, '**', untagged))], [artifact('u', 1, [])])).toEqual(kept);
});

test('a repository that no enabled rule is about is left alone', () => {
  const elsewhere = rule('always', undefined, undefined, selector('repoMatches', 'other'));
  expect(retained([elsewhere], NEVER_PULLED)).toBeUndefined();
  expect(retained([], NEVER_PULLED)).toBeUndefined();
  expect(retained([{ ...rule('latestPushedK', 1), disabled: true }], NEVER_PULLED)).toBeUndefined();
  expect(retained([{ ...rule('always'), disabled: true }, rule('latestPushedK', 1)], NEVER_PULLED)).toEqual(['a']);
  expect(retained([{ ...rule('always'), scope_selectors: {} }], NEVER_PULLED)).toBeUndefined();
  expect(retained([elsewhere, rule('latestPushedK', 1, undefined, selector('repoExcludes', 'other'))], NEVER_PULLED)).toEqual(['a']);
});

test('decisions name the first rule that keeps, the immutable tag, or nothing', () => {
  const rules = [rule('latestPushedK', 1), rule('latestPushedK', 2)];
  const immutable: ImmutabilityRule[] = [{ disabled: false, tag_selectors: [selector('matches', 'c')], scope_selectors: { repository: [selector('repoMatches', '**')] } }];
  const decisions = evaluateRetention({ rules, repository: 'app', candidates: NEVER_PULLED, immutable: immutabilityOf(immutable, 'app'), now: NOW });
  expect(decisions?.map(({ reason }) => reason)).toEqual([
    { kind: 'rule', rule: 0, template: 'latestPushedK' }, { kind: 'rule', rule: 1, template: 'latestPushedK' }, { kind: 'immutable', tag: 'c' }, { kind: 'nothing' },
  ]);
});

/** The rules of the documentation, said once more in the plainest way and without any care for speed. */
function modelRetains(rules: readonly RetentionRule[], all: readonly RetentionCandidate[], candidate: RetentionCandidate): boolean {
  const push = (one: RetentionCandidate): number => Math.max(one.pushedAt.getTime(), ...one.tags.map((tag) => tag.pushedAt.getTime()));
  const pull = (one: RetentionCandidate): number => Math.max(one.pulledAt?.getTime() ?? -Infinity, ...one.tags.map((tag) => tag.pulledAt?.getTime() ?? -Infinity));
  const active = (one: RetentionCandidate): number => Math.max(push(one), pull(one));
  const fits = (name: string, pattern: string): boolean => (pattern === '**' ? true : pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
  const picks = (one: RetentionCandidate, { decoration, pattern, extras }: Selector): boolean => {
    if (one.tags.length === 0) return decoration === 'matches' ? extras !== '{"untagged":false}' : extras !== '{"untagged":true}';
    return one.tags.some(({ name }) => fits(name, pattern) === (decoration === 'matches'));
  };
  return rules.some(({ disabled, template, params, tag_selectors: selectors }) => {
    if (disabled || !selectors.every((one) => picks(candidate, one))) return false;
    const count = params[template] ?? RETENTION_TEMPLATES[template].standard ?? 0;
    const peers = all.filter((one) => selectors.every((two) => picks(one, two)));
    const before = (time: (one: RetentionCandidate) => number): number =>
      peers.filter((one) => time(one) > time(candidate) || (time(one) === time(candidate) && one.digest < candidate.digest)).length;
    switch (template) {
      case 'always': return true;
      case 'latestPushedK': return before(push) < count;
      case 'latestPulledN': return before(pull) < count;
      case 'latestActiveK': return before(active) < count;
      case 'nDaysSinceLastPush': case 'lastXDays': return NOW.getTime() - push(candidate) <= count * DAY;
      case 'nDaysSinceLastPull': return NOW.getTime() - pull(candidate) <= count * DAY;
    }
  });
}

test('agrees with a naive model on thousands of random policies', () => {
  const seed = Number(process.pid);
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const someTime = (): Date => daysAgo(below(6) * 10);
  const maybePulled = (): Date | undefined => (below(3) === 0 ? undefined : someTime());
  const templates = Object.keys(RETENTION_TEMPLATES) as RetentionTemplate[];
  const someSelector = (): Selector => selector(pick(['matches', 'excludes']), pick(['**', 'a*', 'b*', 'a1', 'c']), pick([undefined, true, false]));
  for (let round = 0; round < 3000; round += 1) {
    const candidates = Array.from({ length: below(8) }, (_, index): RetentionCandidate => ({
      digest: `sha256:${index}`, pushedAt: someTime(), pulledAt: maybePulled(),
      tags: Array.from({ length: below(3) }, () => ({ name: pick(['a1', 'a2', 'b1', 'c']), pushedAt: someTime(), pulledAt: maybePulled() })),
    }));
    const rules = Array.from({ length: 1 + below(3) }, (): RetentionRule => {
      const template = pick(templates);
      return { ...rule(template, pick([undefined, 0, 1, 2, 3, 20, 40])), disabled: below(5) === 0, tag_selectors: Array.from({ length: 1 + below(2) }, someSelector) };
    });
    const expected = rules.every(({ disabled }) => disabled) ? undefined : candidates.filter((one) => modelRetains(rules, candidates, one)).map(({ digest }) => digest);
    expect({ seed, round, rules, candidates, retained: retained(rules, candidates) }).toEqual({ seed, round, rules, candidates, retained: expected });
  }
});

test('in steps decides the same, pausing also within the tags of one artifact, and can be ended', async () => {
  const candidates = [artifact('many', 1, Array.from({ length: 5000 }, (_, index) => `t${index}`)), artifact('few', 2)];
  const question = { rules: [rule('latestPushedK', 1, selector('matches', 'few'))], repository: 'app', candidates, immutable: immutabilityOf([], 'app'), now: NOW };
  let pauses = 0;
  expect(await evaluateRetentionInSteps(question, async () => { pauses += 1; })).toEqual(evaluateRetention(question));
  expect(pauses).toBeGreaterThan(20);
  await expect(evaluateRetentionInSteps(question, () => Promise.reject(new Error('enough')))).rejects.toThrow('enough');
});

test('decides about ten thousand artifacts with a hundred thousand tags in a moment', () => {
  const candidates = Array.from({ length: 10_000 }, (_, index) => artifact(`sha256:${index}`, index, Array.from({ length: 10 }, (_tag, number) => `v${index}.${number}-build`)));
  const rules = Array.from({ length: 15 }, (_, index) => rule('latestPushedK', index, selector('excludes', '{v*.1*-build,*-{rc,beta}*}')));
  const before = performance.now();
  expect(retained(rules, candidates)).toHaveLength(14);
  // Measured: about a second on one slow core.
  expect(performance.now() - before).toBeLessThan(20_000);
});
