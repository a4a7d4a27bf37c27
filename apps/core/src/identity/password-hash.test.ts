import { describe, expect, test } from '@jest/globals';
import { hashPassword, unmatchableHash, verifyPassword } from './password-hash.js';

describe('a password hash', () => {
  test('says how it was made, holds no password, and fits only its own', async () => {
    const hash = await hashPassword('Correct-horse-1');
    expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$/);
    expect(await verifyPassword('Correct-horse-1', hash)).toBe(true);
    for (const other of ['correct-horse-1', 'Correct-horse-', 'Correct-horse-1 ', 'Correct-horse-1\0', 'Correct-horse-1\0\0', '']) expect(await verifyPassword(other, hash)).toBe(false);
  });

  test('A-27: of a long password does not fit its beginning', async () => {
    const password = `${'Aa1'.repeat(26)}xy`;
    const hash = await hashPassword(password);
    expect(await verifyPassword(password, hash)).toBe(true);
    for (const length of [72, 64, 79]) expect(await verifyPassword(password.slice(0, length), hash)).toBe(false);
  });

  test('is another one each time', async () => {
    expect(await hashPassword('same')).not.toBe(await hashPassword('same'));
  });

  test('of another cost is still understood', async () => {
    // scrypt("pleaseletmein", "SodiumChloride", N=16384, r=8, p=1, 64 bytes): RFC 7914, section 12
    const key = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887', 'hex');
    const hash = `$scrypt$ln=14,r=8,p=1$${Buffer.from('SodiumChloride').toString('base64')}$${key.toString('base64')}`;
    expect(await verifyPassword('pleaseletmein', hash)).toBe(true);
    expect(await verifyPassword('pleaseletmeout', hash)).toBe(false);
  });

  test.each(['', 'plain', '$scrypt$ln=99,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', '$2b$10$abcdefghijklmnopqrstuv'])('of an unknown form is an error, not a miss: %j', async (stored) => {
    await expect(verifyPassword('x', stored)).rejects.toThrow('password hash');
  });

  test('that nothing matches looks like the others', async () => {
    expect(unmatchableHash()).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    expect(await verifyPassword('', unmatchableHash())).toBe(false);
  });
});
