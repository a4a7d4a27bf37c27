import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/**
 * Makes a certificate authority and a certificate of its for one server: authority.crt, server.crt and server.key in `folder`.
 * @param {string} folder
 * @param {{ names: string[], addresses: string[] }} subject whom the certificate is for
 * @returns {{ authority: string, certificate: string, key: string }} paths
 */
export function issueCertificate(folder, { names, addresses }) {
  const path = (name) => join(folder, name);
  const alternatives = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(',');
  openssl('req', '-x509', ...CURVE, '-days', '2', '-subj', '/CN=Haven test authority', '-keyout', path('authority.key'), '-out', path('authority.crt'));
  openssl('req', '-x509', ...CURVE, '-days', '1', '-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`, '-addext', 'basicConstraints=critical,CA:FALSE',
    '-CA', path('authority.crt'), '-CAkey', path('authority.key'), '-keyout', path('server.key'), '-out', path('server.crt'));
  return { authority: path('authority.crt'), certificate: path('server.crt'), key: path('server.key') };
}

function openssl(...args) {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
}
