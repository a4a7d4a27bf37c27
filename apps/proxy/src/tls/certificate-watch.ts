import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@haven/runtime';
import { fileStamp, readCertificate, type Certificate, type CertificateFiles } from './certificate-files.js';

/** File events are not told on every file system, so the files are looked at as well, in milliseconds. */
const LOOK_MS = 10_000;
/** Certificate and key are written one after the other: wait until both are there. */
const SETTLE_MS = 300;

/** Keeps a TLS server on the certificate that its files hold, without a restart. */
export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #logger: Logger;
  readonly #use: (certificate: Certificate) => void;
  readonly #watchers: FSWatcher[] = [];
  #current: Certificate;
  #stamp: string;
  #interval: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;

  /** @throws Error when the files cannot be used now. */
  constructor(files: CertificateFiles, logger: Logger, use: (certificate: Certificate) => void) {
    this.#files = files;
    this.#logger = logger;
    this.#use = use;
    this.#current = readCertificate(files);
    this.#stamp = fileStamp(files);
  }

  get current(): Certificate { return this.#current; }

  start(): void {
    for (const folder of new Set([dirname(this.#files.cert), dirname(this.#files.key)])) this.#watchFolder(folder);
    this.#interval = setInterval(() => { this.look(); }, LOOK_MS);
    this.#interval.unref();
  }

  stop(): void {
    clearInterval(this.#interval);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Takes over what the files hold if they have changed; if that cannot be used, the present certificate stays. */
  look(): void {
    try {
      const stamp = fileStamp(this.#files);
      if (stamp === this.#stamp) return;
      this.#stamp = stamp;
      const found = readCertificate(this.#files);
      if (found.fingerprint === this.#current.fingerprint && found.key.equals(this.#current.key) && found.cert.equals(this.#current.cert)) return;
      this.#use(found);
      this.#current = found;
      this.#logger.info('the TLS certificate was replaced', { notAfter: found.notAfter, fingerprint: found.fingerprint });
    } catch (error) {
      this.#logger.error('the new TLS certificate cannot be used; the present one stays', { notAfter: this.#current.notAfter, error });
    }
  }

  /** Folders, not files: tools replace certificates by renaming, Kubernetes by turning a symbolic link. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => { this.#lookSoon(); });
      watcher.on('error', (error) => { this.#logger.warn('changes of the TLS certificate are noticed by looking only', { folder, error }); });
      this.#watchers.push(watcher);
    } catch (error) {
      this.#logger.warn('changes of the TLS certificate are noticed by looking only', { folder, error });
    }
  }

  #lookSoon(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => { this.look(); }, SETTLE_MS);
    this.#settling.unref();
  }
}
