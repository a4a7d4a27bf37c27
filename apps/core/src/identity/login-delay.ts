const FREE_FAILURES = 5;
const FIRST_DELAY = 1;
const LONGEST_DELAY = 60;
/** From so many failures of one account on, wherever they come from, somebody is guessing from many addresses. */
const UNDER_ATTACK = 50;

/** The wrong passwords of the last quarter of an hour. */
export interface FailureCounts {
  /** For this account from this address. */
  readonly pair: number;
  /** Seconds since the last of those; 0 when there was none. */
  readonly pairAge: number;
  /** For this account from anywhere. */
  readonly account: number;
  /** From this address for any account. */
  readonly address: number;
}

/**
 * Whole seconds until an address may try an account again; 0 when it may now. The first few mistakes are free, each
 * further one doubles the time, up to a minute. While an account is guessed at from many addresses, each address gets one
 * try a minute; an address that has made no mistake never waits, so nobody can lock anybody else out.
 */
export function secondsToWait({ pair, pairAge, account }: FailureCounts): number {
  return Math.max(0, Math.ceil(delayAfter(pair, account) - pairAge));
}

function delayAfter(pair: number, account: number): number {
  if (pair === 0) return 0;
  if (account >= UNDER_ATTACK) return LONGEST_DELAY;
  const excess = pair - FREE_FAILURES;
  return excess < 0 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(excess, 16));
}

const LOGGED_PER_ACCOUNT_OR_ADDRESS = 100;

/**
 * Whether a failure is worth a line of the audit trail: each of the first ones, while few come for the account and from
 * the address, then every hundredth. So a flood of guesses shows, but fills nothing.
 */
export function isWorthALine({ account, address }: FailureCounts): boolean {
  const most = Math.max(account, address);
  return most <= LOGGED_PER_ACCOUNT_OR_ADDRESS || most % LOGGED_PER_ACCOUNT_OR_ADDRESS === 0;
}
