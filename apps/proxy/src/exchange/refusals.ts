import type { OciErrorCode } from '@haven/oci';
import type { ErrorShape } from '../routing/routes.js';

/** An answer that the proxy gives itself. */
interface Refusal {
  readonly status: number;
  /** The code below /v2, and the one that Harbor's API clients know. */
  readonly oci: OciErrorCode;
  readonly harbor: string;
  readonly message: string;
  /** The connection cannot be used any further: what follows on it cannot be told from the rest of this request. */
  readonly close?: true;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
}

/** Every answer of the proxy's own. */
export const REFUSALS = {
  target: { status: 400, oci: 'NAME_INVALID', harbor: 'BAD_REQUEST', message: 'The path is not acceptable: it must start with a slash and hold no dot segment and no encoded dot, slash or backslash.' },
  targetTooLong: { status: 414, oci: 'NAME_INVALID', harbor: 'URI_TOO_LONG', message: 'The URL is longer than 8 KiB.' },
  malformed: { status: 400, oci: 'UNSUPPORTED', harbor: 'BAD_REQUEST', message: 'The request is malformed.', close: true },
  host: { status: 400, oci: 'UNSUPPORTED', harbor: 'BAD_REQUEST', message: 'The request needs exactly one valid Host header.', close: true },
  framing: { status: 400, oci: 'UNSUPPORTED', harbor: 'BAD_REQUEST', message: 'The length of the request body is ambiguous: send either one Content-Length or "Transfer-Encoding: chunked".', close: true },
  headers: { status: 431, oci: 'UNSUPPORTED', harbor: 'REQUEST_HEADER_FIELDS_TOO_LARGE', message: 'The request headers are too many (100) or too large (32 KiB).', close: true },
  bodyNotAllowed: { status: 400, oci: 'UNSUPPORTED', harbor: 'BAD_REQUEST', message: 'This method takes no request body.', close: true },
  expectation: { status: 417, oci: 'UNSUPPORTED', harbor: 'EXPECTATION_FAILED', message: 'The only expectation that is met is 100-continue.', close: true },
  method: { status: 405, oci: 'UNSUPPORTED', harbor: 'METHOD_NOT_ALLOWED', message: 'This method is not supported.' },
  notFound: { status: 404, oci: 'UNSUPPORTED', harbor: 'NOT_FOUND', message: 'There is nothing here.' },
  bodyTooLarge: { status: 413, oci: 'REQUEST_ENTITY_TOO_LARGE', harbor: 'REQUEST_ENTITY_TOO_LARGE', message: 'The request body is larger than this address takes.', close: true },
  slowClient: { status: 408, oci: 'UNSUPPORTED', harbor: 'REQUEST_TIMEOUT', message: 'The request did not arrive in time.', close: true },
  upstreamGone: { status: 502, oci: 'UNAVAILABLE', harbor: 'BAD_GATEWAY', message: 'The service behind this address broke off the request; try again.' },
  unavailable: { status: 503, oci: 'UNAVAILABLE', harbor: 'SERVICE_UNAVAILABLE', message: 'The service behind this address is not available; try again later.', retryAfter: 5 },
  upstreamSlow: { status: 504, oci: 'UNAVAILABLE', harbor: 'GATEWAY_TIMEOUT', message: 'The service behind this address did not answer in time; try again later.' },
} as const satisfies Record<string, Refusal>;

export type RefusalName = keyof typeof REFUSALS;

/** One of the table's rows. */
export function refusal(name: RefusalName): Refusal {
  return REFUSALS[name];
}

/** The JSON body; OCI's and Harbor's envelopes differ in the code only. */
export function refusalBody(name: RefusalName, shape: ErrorShape): string {
  const { oci, harbor, message } = REFUSALS[name];
  return JSON.stringify({ errors: [{ code: shape === 'oci' ? oci : harbor, message }] });
}
