import { describe, expect, test } from '@jest/globals';
import { accountState } from './account-state.js';

const NOW = new Date('2026-06-01T12:00:00Z');
/** 100 ns since 1601. */
const ticks = (time: string): string => String((BigInt(Date.parse(time)) + 11_644_473_600_000n) * 10_000n);

function stateOf(attributes: Readonly<Record<string, string>>): string {
  return accountState((name) => attributes[name], NOW);
}

describe('an account of a domain', () => {
  test.each([
    ['usable', {}],
    ['usable', { userAccountControl: '512' }],
    ['usable', { userAccountControl: '66048', pwdLastSet: '0' }],
    ['usable', { userAccountControl: '512', 'msDS-User-Account-Control-Computed': '0', pwdLastSet: '133000000000000000', accountExpires: '0' }],
    ['usable', { userAccountControl: '512', accountExpires: '9223372036854775807' }],
    ['usable', { userAccountControl: '512', accountExpires: ticks('2026-06-01T12:00:01Z') }],
    ['disabled', { userAccountControl: '514' }],
    ['disabled', { userAccountControl: '66050', 'msDS-User-Account-Control-Computed': '0' }],
    ['disabled', { userAccountControl: 'many' }],
    ['expired', { userAccountControl: '512', accountExpires: ticks('2026-06-01T12:00:00Z') }],
    ['expired', { userAccountControl: '512', accountExpires: '1' }],
    ['expired', { userAccountControl: '512', accountExpires: 'soon' }],
    ['expired', { userAccountControl: '512', accountExpires: '-1' }],
    ['locked', { userAccountControl: '512', 'msDS-User-Account-Control-Computed': '16' }],
    ['locked', { userAccountControl: '512', 'msDS-User-Account-Control-Computed': '' }],
    ['locked', { userAccountControl: '512', 'msDS-User-Account-Control-Computed': '-2139095024' }],
    ['password-expired', { userAccountControl: '512', 'msDS-User-Account-Control-Computed': '8388608' }],
    ['password-expired', { userAccountControl: '512', pwdLastSet: '0' }],
  ])('is %s: %j', (state, attributes) => {
    expect(stateOf(attributes)).toBe(state);
  });
});
