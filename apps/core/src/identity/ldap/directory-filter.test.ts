import { expect, test } from '@jest/globals';
import { allOf, anyOf, equals, filterFault, writtenFilter } from './directory-filter.js';

test.each([
  ['*', '(uid=\\2a)'], ['al*', '(uid=al\\2a)'], ['alice)(uid=*', '(uid=alice\\29\\28uid=\\2a)'], ['a\\6cice', '(uid=a\\5c6cice)'], ['a\0b', '(uid=a\\00b)'], ['é', '(uid=é)'], ['', '(uid=)'],
])('A-05: the value %j is only a value', (value, filter) => {
  expect(equals('uid', value)).toBe(filter);
});

test('filters are joined', () => {
  expect(allOf('', '')).toBe('');
  expect(allOf('', '(a=b)')).toBe('(a=b)');
  expect(allOf('(a=b)', '(c=d)')).toBe('(&(a=b)(c=d))');
  expect(anyOf('(a=b)')).toBe('(a=b)');
  expect(anyOf('(a=b)', '(c=d)')).toBe('(|(a=b)(c=d))');
});

test.each([['', ''], [' (a=b) ', '(a=b)'], ['a=b', '(a=b)']])('%j is written as %j', (text, written) => {
  expect(writtenFilter(text)).toBe(written);
});

test.each(['', '(a=b)', 'objectClass=person', '(&(a=b)(!(c=d*)))', '(memberOf:1.2.840.113556.1.4.1941:=cn=x)'])('%j is a filter', (text) => {
  expect(filterFault(text)).toBeUndefined();
});

test.each(['(', '(a=b', '(&(a=b)', '(a=b))', '(((('])('%j is none', (text) => {
  expect(filterFault(text)).toContain('is not an LDAP filter');
});
