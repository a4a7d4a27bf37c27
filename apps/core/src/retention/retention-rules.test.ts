import { describe, expect, test } from '@jest/globals';
import { RetentionMetadata, RetentionPolicy } from '@haven/api';
import { readPolicy, RETENTION_METADATA, scopeOf } from './retention-rules.js';

const SELECTORS = {
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
  scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
};

function rule(more: object = {}): object {
  return { template: 'latestPushedK', params: { latestPushedK: 5 }, ...SELECTORS, ...more };
}

function policy(more: object = {}): RetentionPolicy {
  return RetentionPolicy.parse({ algorithm: 'or', rules: [rule()], trigger: { kind: 'Schedule', settings: { cron: '' } }, scope: { level: 'project', ref: 3 }, ...more });
}

describe('a policy', () => {
  test('is kept in the form of the API', () => {
    expect(readPolicy(policy())).toEqual({
      algorithm: 'or', trigger: { kind: 'Schedule', settings: { cron: '' } },
      rules: [{ id: 1, priority: 0, disabled: false, action: 'retain', template: 'latestPushedK', params: { latestPushedK: 5 }, ...SELECTORS }],
    });
    expect(scopeOf(policy())).toBe(3);
  });

  test.each([
    [{ rules: [] }], [{ rules: null }], [{ algorithm: '' }], [{ trigger: { kind: 'Schedule' } }], [{ trigger: { kind: 'Schedule', settings: { cron: '0 0 2 * * 1' }, references: { job_id: 4 } } }],
    [{ rules: [rule({ params: null })] }], [{ rules: [rule({ params: {} })] }], [{ rules: [rule({ template: 'always', params: { always: 'yes' } })] }],
    [{ rules: [rule({ params: { latestPushedK: 32_766, other: 'x' } })] }], [{ rules: [rule({ template: 'nDaysSinceLastPull', params: { nDaysSinceLastPull: 20_190_904 } })] }],
    [{ rules: [rule({ template: 'latestActiveK', params: { latestActiveK: 0 } })] }],
    [{ rules: Array.from({ length: 15 }, (_, index) => rule({ params: { latestPushedK: index } })) }],
  ])('like %j is fine', (more) => {
    expect(() => readPolicy(policy(more))).not.toThrow();
  });

  test.each<[object, string]>([
    [{ algorithm: 'and' }, 'algorithm'],
    [{ rules: Array.from({ length: 16 }, (_, index) => rule({ params: { latestPushedK: index } })) }, 'at most 15 rules'],
    [{ trigger: { kind: 'Event' } }, 'trigger.kind'],
    [{ trigger: { kind: 'Schedule', settings: { cron: '* * * * * *' } } }, 'must be 0'],
    [{ rules: [rule({ action: 'delete' })] }, 'rules[0].action'],
    [{ rules: [rule(), rule({ template: 'newest' })] }, 'rules[1].template'],
    [{ rules: [rule({ template: 'toString' })] }, 'rules[0].template'],
    [{ rules: [rule({ params: { latestPushedK: -1 } })] }, 'rules[0].params.latestPushedK'],
    [{ rules: [rule({ params: { latestPushedK: 32_767 } })] }, 'from 0 to 32766'],
    [{ rules: [rule({ params: { latestPushedK: 1.5 } })] }, 'whole number'],
    [{ rules: [rule({ params: { latestPushedK: '5' } })] }, 'whole number'],
    [{ rules: [rule({ params: { latestPushedK: null } })] }, 'whole number'],
    [{ rules: [rule({ template: 'nDaysSinceLastPush', params: { nDaysSinceLastPush: 20_190_905 } })] }, 'from 0 to 20190904'],
    [{ rules: [rule({ tag_selectors: [] })] }, 'rules[0]: tag_selectors'],
    [{ rules: [rule({ scope_selectors: {} })] }, 'rules[0]: scope_selectors'],
  ])('like %j is refused: %s', (more, sentence) => {
    expect(() => readPolicy(policy(more))).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(sentence) }));
  });

  test('with a rule twice is a conflict, also when one of them leaves the standard value out', () => {
    for (const rules of [[rule(), rule({ priority: 3, disabled: true })], [rule({ params: { latestPushedK: 10 } }), rule({ params: {} })]]) {
      expect(() => readPolicy(policy({ rules }))).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    }
    expect(() => readPolicy(policy({ rules: [rule(), rule({ params: { latestPushedK: 6 } })] }))).not.toThrow();
  });

  test('is of a project', () => {
    expect(() => scopeOf(policy({ scope: { level: 'system', ref: 3 } }))).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

test('the metadata offer five templates', () => {
  expect(RetentionMetadata.parse(RETENTION_METADATA)).toEqual(RETENTION_METADATA);
  expect(RETENTION_METADATA.templates.map((template) => template.rule_template)).toEqual(['latestPushedK', 'latestPulledN', 'nDaysSinceLastPush', 'nDaysSinceLastPull', 'always']);
});
