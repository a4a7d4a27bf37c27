/** Why a domain lets an account in or shuts it out. */
export type AccountState = 'usable' | 'disabled' | 'expired' | 'locked' | 'password-expired';

/** What a domain stores about an account, by attribute; undefined where it says nothing. */
export type ReadAttribute = (name: string) => string | undefined;

/** What to ask for, by name, to learn the state: the computed one is left out of answers unless it is named. */
export const ACCOUNT_STATE_ATTRIBUTES = ['userAccountControl', 'msDS-User-Account-Control-Computed', 'accountExpires', 'pwdLastSet'] as const;

/** Flags of both account controls ([MS-ADTS] 2.2.16). */
const DISABLED = 0x2;
const LOCKED = 0x10;
const NEVER_EXPIRES = 0x1_0000;
const PASSWORD_EXPIRED = 0x80_0000;

/** Counts of 100 ns since 1601 that mean "never" ([MS-ADA1] 2.3). */
const NEVER = [0n, 0x7fff_ffff_ffff_ffffn];
const TICKS_IN_MS = 10_000n;
/** Milliseconds from 1601 to 1970. */
const EPOCH = 11_644_473_600_000n;

/**
 * The state of an account, as its domain would decide at a login with the right password. Directories without these
 * attributes have only usable accounts; a value that is not a number shuts the account out.
 */
export function accountState(read: ReadAttribute, now: Date): AccountState {
  const flags = whole(read('userAccountControl') ?? '0');
  const computed = read('msDS-User-Account-Control-Computed');
  if (flags === undefined || (flags & DISABLED) !== 0) return 'disabled';
  if (isPast(read('accountExpires'), now)) return 'expired';
  if (computed === undefined) return (flags & NEVER_EXPIRES) === 0 && read('pwdLastSet') === '0' ? 'password-expired' : 'usable';
  const more = whole(computed);
  if (more === undefined || (more & LOCKED) !== 0) return 'locked';
  return (more & PASSWORD_EXPIRED) === 0 ? 'usable' : 'password-expired';
}

/** The end of a sentence about the account, for the log. */
export const ACCOUNT_STATE_REASONS: Readonly<Record<Exclude<AccountState, 'usable'>, string>> = {
  disabled: 'is disabled',
  expired: 'has expired',
  locked: 'is locked after too many wrong passwords',
  'password-expired': 'has a password that has expired or must be changed first',
};

/** 32 bits, which some servers write as a negative number. */
function whole(text: string): number | undefined {
  return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function isPast(text: string | undefined, now: Date): boolean {
  if (text === undefined) return false;
  if (!/^\d{1,19}$/.test(text)) return true;
  const ticks = BigInt(text);
  return !NEVER.includes(ticks) && ticks / TICKS_IN_MS - EPOCH <= BigInt(now.getTime());
}
