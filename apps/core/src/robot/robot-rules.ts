import { Problem } from '@haven/api';
import { isRobotName, loginName } from '../identity/robot-name.js';

export const FOR_EVER = -1;
const LONGEST_LIFE = 36_500;
const DAY_MS = 86_400_000;
/** Characters of a login name at most, as everywhere names are logged in with. */
const LONGEST_LOGIN = 255;

export type RobotLevel = 'system' | 'project';

export function requiredLevel(level: string | undefined): RobotLevel {
  if (level === 'system' || level === 'project') return level;
  throw new Problem('BAD_REQUEST', 'level must be "system" or "project"');
}

/** The name, when it is one that a robot can have there. */
export function requiredName(name: string | undefined, prefix: string, project: string | undefined): string {
  if (name === undefined || !isRobotName(name)) {
    throw new Problem('BAD_REQUEST', 'name must be 1 to 255 lower-case letters and digits, in words joined by one ".", "_" or "-"');
  }
  const login = loginName(prefix, { project, name });
  if (login.length > LONGEST_LOGIN) throw new Problem('BAD_REQUEST', `the robot would log in as a name of ${login.length} characters; choose a name that is ${login.length - LONGEST_LOGIN} shorter`);
  return name;
}

/** Days; -1 for ever. There is no default: who makes a robot says how long it lives. */
export function requiredDuration(duration: number | null | undefined): number {
  if (duration === FOR_EVER || (typeof duration === 'number' && duration >= 1 && duration <= LONGEST_LIFE)) return duration;
  throw new Problem('BAD_REQUEST', `duration must be ${FOR_EVER} (for ever) or 1 to ${LONGEST_LIFE} days`);
}

/** When a robot of that age ends; undefined when it never does. */
export function expiryOf(createdAt: Date, duration: number): Date | undefined {
  return duration === FOR_EVER ? undefined : new Date(createdAt.getTime() + duration * DAY_MS);
}

/** The life of a robot in the older form of request, which names the second of its end. */
export function lifeUntil(expiresAt: number | null | undefined, createdAt: Date, standardDays: number): { readonly duration: number; readonly expiresAt: Date | undefined } {
  if (expiresAt === FOR_EVER) return { duration: FOR_EVER, expiresAt: undefined };
  if (expiresAt === undefined || expiresAt === null || expiresAt === 0) {
    const duration = requiredDuration(Math.min(standardDays, LONGEST_LIFE));
    return { duration, expiresAt: expiryOf(createdAt, duration) };
  }
  const days = Math.ceil((expiresAt * 1000 - createdAt.getTime()) / DAY_MS);
  if (days < 1 || days > LONGEST_LIFE) throw new Problem('BAD_REQUEST', `expires_at must be ${FOR_EVER} (never) or a time within the next ${LONGEST_LIFE} days, in seconds since 1970`);
  return { duration: days, expiresAt: new Date(expiresAt * 1000) };
}
