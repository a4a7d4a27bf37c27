import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 'v1.';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed secret cannot be opened: wrong key, wrong context, or damaged. */
export class SealedSecretError extends Error {
  override readonly name = 'SealedSecretError';
}

/**
 * Encrypts a secret for keeping at rest: AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D).
 *
 * @param key 32 bytes, from the platform's key file
 * @param context what the secret belongs to, as `signing-key:<kid>`; it must be given again to open it, so that a
 *   sealed text copied to another row does not open there
 */
export function sealSecret(key: Uint8Array, plain: string, context = ''): string {
  requireKey(key);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return VERSION + sealed.toString('base64url');
}

/**
 * Opens what {@link sealSecret} made.
 *
 * @throws SealedSecretError
 */
export function openSecret(key: Uint8Array, sealed: string, context = ''): string {
  requireKey(key);
  const bytes = sealed.startsWith(VERSION) ? Buffer.from(sealed.slice(VERSION.length), 'base64url') : undefined;
  if (bytes === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) throw new SealedSecretError('This is not a sealed secret.');
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new SealedSecretError('The secret does not open with this key: the key file is another one, or the secret was changed.', { cause });
  }
}

function requireKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new RangeError(`A sealing key has ${KEY_BYTES} bytes, not ${key.length}.`);
}
