import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { S3Interruption, S3Refusal } from './failure.js';

/** Limits on one call, in milliseconds. */
export interface TransportTimeouts {
  /** Until the connection stands. */
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** The same for calls that let the store copy data, which takes it a while. */
  readonly copyIdleMs: number;
  /** For a whole call, but for reading an object, whose pace is the consumer's. */
  readonly callMs: number;
}

export const TIMEOUTS: TransportTimeouts = { connectMs: 10_000, idleMs: 30_000, copyIdleMs: 240_000, callMs: 300_000 };

const CONNECTIONS = 128;
const ERROR_BYTES = 16 * 1024;

/** What the S3 client sends its requests through. */
export interface S3Transport {
  readonly transport: Pick<typeof http, 'request'>;
  readonly agent: http.Agent;
}

/**
 * Requests with time limits, over connections that are kept open; every answer but a success becomes an
 * {@link S3Refusal}. (The client library's own way is to leave such answers unread, which blocks their connections,
 * and to keep everything that the store sent in the error.)
 */
export function s3Transport(secure: boolean, authorities: string | undefined, timeouts: TransportTimeouts): S3Transport {
  const pool = { keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'lifo' } as const;
  const agent = secure
    ? new https.Agent({ ...pool, ...(authorities === undefined ? {} : { ca: [...rootCertificates, authorities] }) })
    : new http.Agent(pool);
  const send = secure ? https.request : http.request;

  function request(options: http.RequestOptions, onSuccess: (response: http.IncomingMessage) => void): http.ClientRequest {
    const call = send(options, (response) => {
      if (Number(response.statusCode) < 300) onSuccess(response);
      else void refusal(response).then((error) => call.emit('error', error));
    });
    limit(call, options, timeouts);
    return call;
  }
  return { transport: { request: request as typeof http.request }, agent };
}

function limit(call: http.ClientRequest, options: http.RequestOptions, timeouts: TransportTimeouts): void {
  const idleMs = isSlow(options) ? timeouts.copyIdleMs : timeouts.idleMs;
  call.setTimeout(idleMs, () => call.destroy(new S3Interruption(`no answer for ${idleMs} ms`)));
  if (!isObjectRead(options)) limitWhole(call, timeouts.callMs);
  call.once('socket', (socket) => {
    if (socket.connecting) limitConnecting(call, socket, timeouts.connectMs);
  });
}

function limitWhole(call: http.ClientRequest, ms: number): void {
  const timer = setTimeout(() => call.destroy(new S3Interruption(`not done within ${ms} ms`)), ms);
  call.once('close', () => clearTimeout(timer));
}

function limitConnecting(call: http.ClientRequest, socket: Socket, ms: number): void {
  const timer = setTimeout(() => call.destroy(new S3Interruption(`no connection within ${ms} ms`)), ms);
  for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
}

function isObjectRead({ method, path }: http.RequestOptions): boolean {
  return method === 'GET' && path?.includes('?') !== true;
}

/** Copies, and the completion of a multipart upload. */
function isSlow({ method, path, headers }: http.RequestOptions): boolean {
  const copies = headers !== undefined && !Array.isArray(headers) && 'x-amz-copy-source' in headers;
  return copies || (method === 'POST' && path?.includes('uploadId=') === true);
}

/** Reads the answer to its end, so that the connection can be used again, but keeps only the code. */
async function refusal(response: http.IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > ERROR_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    // The status alone says enough; a code that was cut off says no more.
    return new S3Refusal(Number(response.statusCode), '');
  }
  const code = /<Code>([A-Za-z0-9._-]{1,64})<\/Code>/.exec(Buffer.concat(chunks).toString('latin1'))?.[1] ?? '';
  const requestId = String(response.headers['x-amz-request-id'] ?? '');
  return new S3Refusal(Number(response.statusCode), code, /^[A-Za-z0-9-]{1,64}$/.test(requestId) ? requestId : '');
}
