import { expect, test } from '@jest/globals';
import { bindRefusal } from './bind-refusal.js';

const said = (code: string): string => `80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data ${code}, v1db1 Code: 0x31`;

test.each([
  ['52e', 'wrong password', true],
  ['525', 'the directory does not know the account', true],
  ['533', 'the account is disabled in the directory', false],
  ['701', 'the account has expired in the directory', false],
  ['773', 'the password must be changed first, at a computer of the domain', false],
  ['775', 'the account is locked in the directory after too many wrong passwords', false],
  ['52E', 'wrong password', true],
  ['6f7', 'the directory refused the login with its error 6f7', false],
])('error %s of a domain means: %s', (code, reason, wrongPassword) => {
  expect(bindRefusal(said(code))).toEqual({ reason, wrongPassword });
});

test.each(['', 'Invalid credentials Code: 0x31', 'data 52e', said('everything'), `${' '.repeat(2_000)}${said('52e')}`])('%j is not of a domain', (text) => {
  expect(bindRefusal(text)).toBeUndefined();
});
