import { expect, test } from '@jest/globals';
import { requireGoodProfile, requireGoodUsername } from './user-rules.js';

test.each(['a', 'alice', 'Alice B', 'a@b.c', 'ünï', 'a'.repeat(255)])('username %j is good', (name) => {
  expect(() => requireGoodUsername(name, 'bot-')).not.toThrow();
});

test.each(['', ' ', 'a ', ' a', 'a,b', 'a"b', 'a~b', 'a#b', 'a%b', 'robot$a', 'bot-a', 'a:b', 'a\tb', 'a\0b', 'a'.repeat(256)])('username %j is refused', (name) => {
  expect(() => requireGoodUsername(name, 'bot-')).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});

test.each([{}, { email: '' }, { email: 'a@b' }, { email: 'first.last+tag@sub.example.org' }, { realname: 'Zoë: the first' }, { comment: 'x'.repeat(30) }])('profile %j is good', (profile) => {
  expect(() => requireGoodProfile(profile)).not.toThrow();
});

test.each([{ email: 'a' }, { email: '@b' }, { email: 'a@' }, { email: 'a b@c' }, { email: 'a@-b' }, { email: 'a@b\n' }, { realname: 'a,b' }, { comment: 'x'.repeat(31) }])('profile %j is refused', (profile) => {
  expect(() => requireGoodProfile(profile)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});
