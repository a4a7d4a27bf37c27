import { ACCOUNT_STATE_ATTRIBUTES, ACCOUNT_STATE_REASONS, accountState } from './active-directory/account-state.js';
import type { DirectoryEntry } from './directory-entry.js';

/** Attributes that say that an account may not log in, whatever its password. */
export const STATE_ATTRIBUTES = ['nsAccountLock', 'pwdAccountLockedTime', ...ACCOUNT_STATE_ATTRIBUTES] as const;

/** OpenLDAP's word for "locked until an administrator unlocks it" (the password policy overlay). */
const LOCKED_FOR_GOOD = '000001010000Z';

/** Why the directory shuts this account out, as the end of a sentence; undefined when it does not. */
export function shutOutReason(entry: DirectoryEntry): string | undefined {
  if (entry.first('nsAccountLock')?.toLowerCase() === 'true') return 'is locked (nsAccountLock)';
  if (entry.first('pwdAccountLockedTime') === LOCKED_FOR_GOOD) return 'is locked (pwdAccountLockedTime)';
  const state = accountState((name) => entry.first(name), new Date());
  return state === 'usable' ? undefined : ACCOUNT_STATE_REASONS[state];
}
