import { describe, expect, test } from '@jest/globals';
import { dependenciesOf, isFirstFormat } from './chart-dependencies.js';

const of = (text: string): unknown => dependenciesOf(Buffer.from(text));

describe('dependenciesOf', () => {
  test.each([
    ['name: app', []], ['', []], ['- a', []], ['dependencies: none', []], ['dependencies: [1, null, [a]]', []],
    ['dependencies:\n- name: redis\n  version: "17.x"\n  repository: oci://example.org/charts\n  condition: redis.enabled', [{ name: 'redis', version: '17.x', repository: 'oci://example.org/charts' }]],
    ['dependencies:\n- {name: 7, version: 1.5, repository: {a: b}}', [{ name: '7', version: '1.5', repository: '' }]],
    ['dependencies:\n- __proto__: {name: x}', [{ name: '', version: '', repository: '' }]],
  ])('%j', (text, expected) => {
    expect(of(text)).toEqual(expected);
  });

  test('is bounded', () => {
    expect(of(`dependencies:\n${'- name: x\n'.repeat(1000)}`)).toHaveLength(500);
    expect(of(`dependencies:\n- name: ${'x'.repeat(5000)}`)).toEqual([{ name: 'x'.repeat(1024), version: '', repository: '' }]);
  });

  test.each([
    ['a: [', 'no YAML'], ['a: &a [x]\nb: *a\ndependencies: []', 'aliases'], ['a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ndependencies: *c', 'nested aliases'],
    ['['.repeat(100_000), 'depth'], ['a\0b: [', 'NUL'],
  ])('M-13: %.20j is refused (%s)', (text) => {
    expect(() => of(text)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

test('isFirstFormat', () => {
  expect(isFirstFormat(Buffer.from('apiVersion: v1'))).toBe(true);
  expect(isFirstFormat(Buffer.from('apiVersion: v2'))).toBe(false);
  expect(isFirstFormat(Buffer.from('x'))).toBe(false);
});
