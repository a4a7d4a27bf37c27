import { createHash, X509Certificate } from 'node:crypto';
import type { Configuration } from '@haven/api';
import { urlFault } from '@haven/outbound';

/** The proxy that checks names and passwords, and the service that says whose a token is; checked and ready for use. */
export interface AuthProxySettings {
  readonly endpoint: URL;
  readonly reviewEndpoint: URL;
  readonly verifyCertificate: boolean;
  /** PEM: what the certificates of both must come from, or be; '' for the usual authorities. */
  readonly serverCertificate: string;
  readonly adminGroups: readonly string[];
  readonly adminUsernames: readonly string[];
  /** Tells one state of the settings from another. */
  readonly fingerprint: string;
}

/** The settings of the mode http_auth. */
export type AuthProxyConfiguration = Pick<Configuration, Extract<keyof Configuration, `http_authproxy_${string}`>>;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What is missing or wrong, each as a sentence for administrators; empty when people can log in with these settings. */
export function authProxyFaults(configuration: AuthProxyConfiguration): string[] {
  const faults = [
    addressFault('http_authproxy_endpoint', configuration),
    addressFault('http_authproxy_tokenreview_endpoint', configuration),
    certificateFault(configuration.http_authproxy_server_certificate),
  ];
  return faults.filter((fault) => fault !== undefined);
}

/** @throws TypeError when `authProxyFaults` would find something */
export function authProxySettings(configuration: AuthProxyConfiguration): AuthProxySettings {
  const faults = authProxyFaults(configuration);
  if (faults.length > 0) throw new TypeError(faults.join('; '));
  return {
    endpoint: new URL(configuration.http_authproxy_endpoint),
    reviewEndpoint: new URL(configuration.http_authproxy_tokenreview_endpoint),
    verifyCertificate: configuration.http_authproxy_verify_cert,
    serverCertificate: configuration.http_authproxy_server_certificate.trim(),
    adminGroups: listed(configuration.http_authproxy_admin_groups),
    adminUsernames: listed(configuration.http_authproxy_admin_usernames),
    fingerprint: fingerprintOf(configuration),
  };
}

/** Passwords and tokens in clear need two clear words: an http:// address, and no check of certificates. */
function addressFault(name: 'http_authproxy_endpoint' | 'http_authproxy_tokenreview_endpoint', configuration: AuthProxyConfiguration): string | undefined {
  const { [name]: address, http_authproxy_verify_cert: verify } = configuration;
  if (address === '') return `${name} is not set`;
  const fault = urlFault(address);
  if (fault !== undefined) return `${name}: ${fault}`;
  if (!verify || new URL(address).protocol === 'https:') return undefined;
  return `${name} would carry passwords and tokens in clear: use https://, or, if that is meant, switch http_authproxy_verify_cert off as well`;
}

function certificateFault(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const wrong = 'http_authproxy_server_certificate must be certificates in PEM form, without a key';
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0 || certificates.length < text.split('BEGIN CERTIFICATE').length - 1 || text.includes('PRIVATE KEY')) return wrong;
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    return undefined;
  } catch {
    return wrong;
  }
}

/** Names joined by commas. */
function listed(text: string): string[] {
  return text.split(',').map((name) => name.trim()).filter((name) => name !== '');
}

function fingerprintOf(configuration: AuthProxyConfiguration): string {
  const relevant = Object.entries(configuration).filter(([name]) => name.startsWith('http_authproxy_')).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(relevant)).digest('base64url');
}
