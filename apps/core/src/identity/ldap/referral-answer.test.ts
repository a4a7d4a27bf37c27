import { expect, test } from '@jest/globals';
import { referralIn } from './referral-answer.js';

const element = (tag: number, ...parts: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from(body.length < 128 ? [tag, body.length] : [tag, 0x82, body.length >> 8, body.length & 0xff]), body]);
};
const text = (value: string): Buffer => element(0x04, value);
const done = (code: number, ...uris: string[]): Buffer => element(0x30, element(0x02, Buffer.from([3])), element(0x65, element(0x0a, Buffer.from([code])), text('ou=away'), text('see there'), ...(uris.length === 0 ? [] : [element(0xa3, ...uris.map(text))])));

test('the addresses of a referral are read, wherever it stands among the answers', () => {
  const entry = element(0x30, element(0x02, Buffer.from([3])), element(0x64, text('cn=a'), element(0x30)));
  expect(referralIn(done(10, 'ldap://b.test/ou=away??sub', `ldap://c.test/${'x'.repeat(300)}`))).toEqual(['ldap://b.test/ou=away??sub', `ldap://c.test/${'x'.repeat(300)}`]);
  expect(referralIn(Buffer.concat([entry, done(10, 'ldap://b.test/')]))).toEqual(['ldap://b.test/']);
});

test.each([
  ['success', done(0)], ['success with addresses', done(0, 'ldap://b.test/')], ['no addresses', done(10)], ['nothing', Buffer.alloc(0)], ['one byte', Buffer.from([0x30])], ['text', Buffer.from('HTTP/1.1 400\r\n')],
  ['a length without end', Buffer.from([0x30, 0x80, 0, 0])], ['a length of five bytes', Buffer.from([0x30, 0x85, 1, 1, 1, 1, 1])], ['an answer that breaks off', done(10, 'ldap://b.test/').subarray(0, -3)],
  ['a length that is too long', Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02])],
])('there are none in %s', (_name, bytes) => {
  expect(referralIn(bytes)).toEqual([]);
});

test('random bytes are no trouble', () => {
  let seed = 7;
  const next = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % 256;
  for (let round = 0; round < 500; round += 1) expect(referralIn(Buffer.from(Array.from({ length: 200 }, next)))).toBeInstanceOf(Array);
});
