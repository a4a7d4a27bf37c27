const DAY = 24 * 60 * 60;
const LONGEST_IDLE = 30 * DAY;

/** How long a session lives, in seconds. */
export interface SessionTimes {
  /** Without being used. */
  readonly idle: number;
  /** However much it is used: a day, or as long as it may be idle where that is longer. */
  readonly whole: number;
  /** Between two notes of its use, so that reading does not write each time. */
  readonly note: number;
}

/** What the setting session_timeout (minutes) means; more than 30 days is 30 days. */
export function sessionTimes(timeoutMinutes: number): SessionTimes {
  const idle = Math.min(timeoutMinutes * 60, LONGEST_IDLE);
  return { idle, whole: Math.max(DAY, idle), note: Math.min(60, idle / 10) };
}
