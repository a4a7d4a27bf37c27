import { describe, expect, test } from '@jest/globals';
import { basicCredentials, plausible } from './basic-credentials.js';

function header(text: string | Buffer): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

describe('basicCredentials', () => {
  test.each([
    ['alice:secret', { username: 'alice', password: 'secret' }],
    ['alice:with:colons:', { username: 'alice', password: 'with:colons:' }],
    ['älice:pässwörd', { username: 'älice', password: 'pässwörd' }],
    ['alice: ', { username: 'alice', password: ' ' }],
  ])('reads %s', (text, credentials) => {
    expect(basicCredentials(header(text))).toEqual(credentials);
  });

  test('takes the scheme in any case', () => {
    expect(basicCredentials(header('a:b').replace('Basic', 'bAsIc'))).toEqual({ username: 'a', password: 'b' });
  });

  test.each([
    ['another scheme', 'Bearer abc'],
    ['no scheme', 'YTpi'],
    ['no colon', header('alice')],
    ['no name', header(':secret')],
    ['no password', header('alice:')],
    ['NUL in the name', header('ali\0ce:secret')],
    ['NUL in the password', header('alice:sec\0ret')],
    ['not UTF-8', header(Buffer.from([0x61, 0xff, 0x3a, 0x62]))],
    ['not base64', 'Basic ***'],
    ['base64 with something behind it', `${header('a:b')} x`],
    ['a long name', header(`${'a'.repeat(256)}:b`)],
    ['a long password', header(`a:${'b'.repeat(1025)}`)],
    ['a huge header', header(`a:${'b'.repeat(100_000)}`)],
  ])('refuses %s', (_name, value) => {
    expect(basicCredentials(value)).toBeUndefined();
  });
});

test('plausible refuses what nobody can have', () => {
  expect(plausible({ username: 'a', password: 'b' })).toEqual({ username: 'a', password: 'b' });
  expect(plausible({ username: '', password: 'b' })).toBeUndefined();
});
