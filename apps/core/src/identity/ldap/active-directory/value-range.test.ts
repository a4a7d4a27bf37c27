import { describe, expect, test } from '@jest/globals';
import { rangedValues, valueRange } from './value-range.js';

describe('the values of an attribute that a domain sends in parts', () => {
  test.each([
    ['member;range=0-1499', { attribute: 'member', next: 'member;range=1500-*' }],
    ['member;Range=1500-2999', { attribute: 'member', next: 'member;range=3000-*' }],
    ['memberOf;range=3000-*', { attribute: 'memberOf', next: undefined }],
    ['member;range=7-3', { attribute: 'member', next: undefined }],
  ])('%s', (name, range) => {
    expect(valueRange(name)).toEqual(range);
  });

  test.each(['member', 'member;binary', 'member;range=', 'member;range=a-b', 'member;range=0-9999999999', ';range=0-1', 'member;range=0-1;x'])('%s has no range', (name) => {
    expect(valueRange(name)).toBeUndefined();
  });

  test('are found under every spelling', () => {
    expect(rangedValues({ dn: 'x', memberOf: [], 'memberof;range=0-1': ['a', 'b'] }, 'memberOf')).toEqual({ values: ['a', 'b'], next: 'memberof;range=2-*' });
    expect(rangedValues({ dn: 'x', MemberOf: 'a' }, 'memberof')).toEqual({ values: ['a'], next: undefined });
    expect(rangedValues({ dn: 'x', 'memberOf;range=2-*': 'c' }, 'memberOf')).toEqual({ values: ['c'], next: undefined });
    expect(rangedValues({ dn: 'x' }, 'memberOf')).toEqual({ values: [], next: undefined });
  });
});
