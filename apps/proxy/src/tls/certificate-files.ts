import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** A certificate with its key, as the TLS server takes them. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** When it expires. */
  readonly notAfter: Date;
  readonly fingerprint: string;
}

/** The two files of a certificate. */
export interface CertificateFiles {
  /** PEM: the certificate, then those of its issuers. */
  readonly cert: string;
  /** PEM: the private key. */
  readonly key: string;
}

/**
 * Reads a certificate and its key and checks that they can be used together.
 *
 * @throws Error saying which file is wrong and how.
 */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = readPem(files.cert, 'HAVEN_TLS_CERT');
  const key = readPem(files.key, 'HAVEN_TLS_KEY');
  const leaf = attempt(() => new X509Certificate(cert), `HAVEN_TLS_CERT: ${files.cert} holds no PEM certificate`);
  const privateKey = attempt(() => createPrivateKey(key), `HAVEN_TLS_KEY: ${files.key} holds no PEM private key without a passphrase`);
  if (!leaf.checkPrivateKey(privateKey)) throw new Error(`the key in ${files.key} does not belong to the certificate in ${files.cert}`);
  attempt(() => createSecureContext({ cert, key }), `the certificate in ${files.cert} cannot be used for TLS`);
  return { cert, key, notAfter: new Date(leaf.validTo), fingerprint: leaf.fingerprint256 };
}

/** Changes whenever one of the files may have changed; it costs no reading. */
export function fileStamp(files: CertificateFiles): string {
  return [files.cert, files.key].map((path) => {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino}:${size}:${mtimeMs}`;
  }).join(' ');
}

function readPem(path: string, setting: string): Buffer {
  return attempt(() => readFileSync(path), `${setting}: ${path} cannot be read`);
}

function attempt<T>(action: () => T, message: string): T {
  try {
    return action();
  } catch (cause) {
    throw new Error(message, { cause });
  }
}
