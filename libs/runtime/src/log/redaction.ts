export const REDACTED = '[redacted]';

const SECRET_KEY = /authorization|passw(?:or)?d|passphrase|secret|token|cookie|credential|api[-_]?key|private[-_]?(?:key|jwk)/i;

/** Whether a field or setting of this name holds something that nobody may read in a log. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** Masks credentials inside free text: `user:password@` in URLs, and Basic or Bearer credentials. Linear in the text's length. */
export function maskCredentials(text: string): string {
  return text
    .replace(/:\/\/[^\s/?#@]{1,512}@/g, `://${REDACTED}@`)
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{8,}/gi, `$1 ${REDACTED}`);
}
