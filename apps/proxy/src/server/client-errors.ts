import type { Duplex } from 'node:stream';
import { requestIdFrom } from '@haven/runtime';
import { refusal, refusalBody, type RefusalName } from '../exchange/refusals.js';
import { ALLOW } from '../routing/methods.js';

/** What is said, as far as it can be, to a client whose request could not even be parsed. */
const BY_CODE: Readonly<Record<string, RefusalName>> = {
  HPE_HEADER_OVERFLOW: 'headers',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'bodyTooLarge',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'framing',
  HPE_INVALID_CONTENT_LENGTH: 'framing',
  HPE_INVALID_TRANSFER_ENCODING: 'framing',
  HPE_INVALID_METHOD: 'method',
  ERR_HTTP_REQUEST_TIMEOUT: 'slowClient',
};

export function refusalForClientError(error: NodeJS.ErrnoException): RefusalName {
  return BY_CODE[error.code ?? ''] ?? 'malformed';
}

/** Writes a refusal onto a connection on which no answer has begun, and ends it. */
export function refuseRaw(socket: Duplex, name: RefusalName): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status } = refusal(name);
  const body = refusalBody(name, 'harbor');
  socket.end([
    `HTTP/1.1 ${status} ${PHRASES[status] ?? 'Error'}`, ...(status === 405 ? [`allow: ${ALLOW}`] : []), 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestIdFrom(undefined)}`, 'cache-control: no-store', `date: ${new Date().toUTCString()}`, 'connection: close', '', body,
  ].join('\r\n'), () => { socket.destroy(); });
}

const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request', 405: 'Method Not Allowed', 408: 'Request Timeout', 413: 'Payload Too Large', 431: 'Request Header Fields Too Large',
};
