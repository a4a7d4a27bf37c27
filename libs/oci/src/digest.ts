import { createHash } from 'node:crypto';

declare const digestBrand: unique symbol;

/** A content digest that has been checked: `sha256:<64 hex>` or `sha512:<128 hex>`, lower case (OCI Image Spec, "Digests"). */
export type Digest = string & { readonly [digestBrand]: true };

/** The registered algorithms of the OCI Image Spec that Haven stores content under. */
export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/** The length of `sha256:` and of `sha512:`. */
const PREFIX_LENGTH = 7;

/**
 * Checks a digest that came from outside. Nothing is repaired: upper case, other algorithms and wrong lengths give
 * `undefined`, so that one content can never have two names.
 */
export function parseDigest(text: string): Digest | undefined {
  const algorithm = algorithmAtStart(text);
  if (algorithm === undefined || text.length !== PREFIX_LENGTH + HEX_LENGTH[algorithm]) return undefined;
  for (let index = PREFIX_LENGTH; index < text.length; index++) {
    if (!isLowerHex(text.charCodeAt(index))) return undefined;
  }
  return text as Digest;
}

/** The part before the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The part after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(PREFIX_LENGTH);
}

/** The digest of these bytes, SHA-256 unless told otherwise. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

function algorithmAtStart(text: string): DigestAlgorithm | undefined {
  if (text.startsWith('sha256:')) return 'sha256';
  if (text.startsWith('sha512:')) return 'sha512';
  return undefined;
}

function isLowerHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
}
