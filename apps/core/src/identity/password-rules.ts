import { Problem } from '@haven/api';

const SHORTEST = 8;
const LONGEST = 128;

/** Refuses passwords, and secrets that people choose, that are too short, too long or of one kind of character. */
export function requireGoodPassword(password: string, noun: 'password' | 'secret' = 'password'): void {
  const good = password.length >= SHORTEST && password.length <= LONGEST && /[a-z]/.test(password) && /[A-Z]/.test(password) && /\d/.test(password) && !password.includes('\0');
  if (!good) throw new Problem('BAD_REQUEST', `choose a ${noun} of ${SHORTEST} to ${LONGEST} characters with an upper-case letter, a lower-case letter and a digit, without NUL`);
}
