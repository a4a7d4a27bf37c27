import { fileURLToPath } from 'node:url';
import type { OutboundRules } from '@haven/outbound';
import type { CoreSettings } from '../settings.js';

/** What the parts of core need to know from its settings; a class, so that it can be injected. */
export class CoreOptions {
  /** How clients reach the installation, without a trailing slash; undefined when only each request knows. */
  readonly externalUrl: string | undefined;
  /** The key, 32 bytes, that secrets at rest are sealed under. */
  readonly secretKey: Buffer;
  /** The administrator's password for the very first start. */
  readonly adminPassword: string | undefined;
  /** The file to write a generated administrator password to. */
  readonly adminPasswordOut: string | undefined;
  /** "filesystem" or "s3": what /systeminfo names. */
  readonly storageProvider: string;
  /** The folder that blobs are kept in; undefined when they are kept elsewhere. */
  readonly storageFolder: string | undefined;
  /** Which addresses core sends requests to. */
  readonly outboundRules: OutboundRules;
  /** Certificates in PEM form that clients need to trust this server. */
  readonly authorityCertificates: string | undefined;

  constructor(settings: CoreSettings) {
    this.externalUrl = settings.HAVEN_EXTERNAL_URL;
    this.secretKey = Buffer.from(settings.HAVEN_SECRET_KEY, 'hex');
    this.adminPassword = settings.HAVEN_ADMIN_PASSWORD;
    this.adminPasswordOut = settings.HAVEN_ADMIN_PASSWORD_OUT;
    const isFolder = settings.HAVEN_STORAGE.startsWith('file:');
    this.storageProvider = isFolder ? 'filesystem' : 's3';
    this.storageFolder = isFolder ? fileURLToPath(settings.HAVEN_STORAGE) : undefined;
    this.outboundRules = settings.HAVEN_OUTBOUND_ALLOW;
    this.authorityCertificates = settings.HAVEN_CA;
  }
}
