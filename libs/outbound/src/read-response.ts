import type { IncomingMessage } from 'node:http';
import type { OutboundResponse } from './outbound-client.js';
import { OutboundError } from './outbound-error.js';

/** Reads the answer, `most` bytes of its body at most; a longer one has its connection closed. */
export async function readResponse(incoming: IncomingMessage, most: number): Promise<OutboundResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  let complete = true;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    const kept = chunk.subarray(0, most - length);
    chunks.push(kept);
    length += kept.length;
    if (kept.length < chunk.length) {
      complete = false;
      break; // Leaving the loop destroys the answer together with its connection.
    }
  }
  return { status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: Buffer.concat(chunks), complete };
}

function headersOf({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(', ')]));
}

/** What went wrong, without what the other side said about it. */
export function faultOf(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  const causes = causesOf(error);
  const own = causes.find((cause) => cause instanceof OutboundError);
  if (own !== undefined) return own;
  const codes = causes.map((cause) => String((cause as { readonly code?: unknown } | undefined)?.code));
  if (codes.some((code) => TLS_CODE.test(code))) return new OutboundError('tls', error);
  if (codes.some((code) => CONNECT_CODES.has(code))) return new OutboundError(codes.includes('ETIMEDOUT') ? 'timeout' : 'unreachable', error);
  return new OutboundError('broken', error);
}

/** One failure for each address that was tried. */
function causesOf(error: unknown): readonly unknown[] {
  const { errors } = (error ?? {}) as { readonly errors?: unknown };
  return Array.isArray(errors) ? errors : [error];
}

const TLS_CODE = /^(?:ERR_SSL_|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|ERROR_IN_CERT_|CRL_)/;
const CONNECT_CODES = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ETIMEDOUT', 'EACCES', 'EHOSTDOWN']);
