import { expect, test } from '@jest/globals';
import { parseSubjectId, subjectId } from './subject.js';

test('a subject is named by kind and id', () => {
  expect(subjectId({ kind: 'anonymous' })).toBe('');
  expect(subjectId({ kind: 'user', id: 3, name: 'robot:7', sysadmin: false })).toBe('user:3');
  expect(subjectId({ kind: 'robot', id: 7, name: 'x' })).toBe('robot:7');
});

test('and can be read back', () => {
  expect(parseSubjectId('')).toEqual({ kind: 'anonymous' });
  expect(parseSubjectId('user:3')).toEqual({ kind: 'user', id: 3 });
  expect(parseSubjectId('robot:70')).toEqual({ kind: 'robot', id: 70 });
});

test.each(['user', 'user:', 'user:0', 'user:03', 'user:-1', 'user:1.5', 'user:1e3', 'project:5', 'User:3', ' user:3', 'user:3 ', 'user:9999999999999999', `user:${'1'.repeat(100_000)}`])('%j is no subject', (text) => {
  expect(parseSubjectId(text)).toBeUndefined();
});
