import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

interface Cost {
  /** log2 of scrypt's N. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and some 100 ms per hash (OWASP's advice for scrypt). */
const COST: Cost = { logN: 15, r: 8, p: 1 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const MAX_LOG_N = 20;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88}={0,2})\$([A-Za-z0-9+/]{40,88}={0,2})$/;

/** A password hash that carries its own parameters, `$scrypt$ln=15,r=8,p=1$salt$key`, so that the cost can grow later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return printed(COST, salt, await derive(password, salt, KEY_BYTES, COST));
}

/** Whether the password is the one that was hashed, in a time that does not depend on how much of it is right. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const match = FORM.exec(stored);
  if (match === null) throw new Error('a stored password hash does not have a known form');
  const [, logN, r, p, salt = '', key = ''] = match;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  if (cost.logN > MAX_LOG_N) throw new Error('a stored password hash asks for too much work');
  const expected = Buffer.from(key, 'base64');
  const same = timingSafeEqual(expected, await derive(password, Buffer.from(salt, 'base64'), expected.length, cost));
  // HMAC, inside scrypt, fills short keys up with NUL: a password with NULs behind it has the hash of the one without.
  return same && !password.includes('\0');
}

/** A hash that no password has, at the standard cost: what unknown accounts are checked against. */
export function unmatchableHash(): string {
  return printed(COST, randomBytes(SALT_BYTES), randomBytes(KEY_BYTES));
}

function printed({ logN, r, p }: Cost, salt: Buffer, key: Buffer): string {
  return `$scrypt$ln=${logN},r=${r},p=${p}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** Runs on Node's thread pool: the event loop goes on meanwhile. */
function derive(password: string, salt: Buffer, length: number, { logN, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** logN;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem: 256 * N * r }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
