import type { OutboundError } from '@haven/outbound';

/** What is wrong with a certificate, by the code of OpenSSL or Node; what is not here is not told apart. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate of the host has expired; renew it there, and compare the clock of this machine',
  CERT_NOT_YET_VALID: 'the certificate of the host is not valid yet; compare the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the host is for another name than the one in the address',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the host is signed by nobody but itself, and is not one that is trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate of the host comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate of the host comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate of the host comes from an authority that is not trusted here, or is sent without the certificates in between',
};

/** Why nothing came back, for administrators who named the host: as the error says it, and what exactly is wrong with a certificate. */
export function outboundReason(error: OutboundError): string {
  return error.fault === 'tls' ? (CERTIFICATES[codeOf(error.cause)] ?? error.message) : error.message;
}

/** The code of the error itself, or of the first of those that were met on the way to several addresses. */
function codeOf(cause: unknown): string {
  const { code, errors } = (cause ?? {}) as { readonly code?: unknown; readonly errors?: unknown };
  if (Array.isArray(errors)) return errors.map(codeOf).find((one) => one in CERTIFICATES) ?? '';
  return typeof code === 'string' ? code : '';
}
