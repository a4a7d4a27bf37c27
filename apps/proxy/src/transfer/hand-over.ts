import { parseDigest } from '@haven/oci';
import type { ResponseHeaders } from '../headers/response-headers.js';

/** A piece of a blob's file that the registry asks the proxy to send in its stead. */
export interface HandOver {
  /** 200 or 206. */
  readonly status: number;
  /** Relative to the storage root. */
  readonly path: string;
  /** First and last byte. */
  readonly start: number;
  readonly end: number;
  /** The size that the whole file must have. */
  readonly size: number;
}

const VALUE = /^(docker\/registry\/v2\/blobs\/(sha256|sha512)\/([0-9a-f]{2})\/([0-9a-f]{64,128})\/data);(\d{1,15})-(\d{1,15})$/;

/**
 * Reads `X-Haven-File: <path>;<start>-<end>` of an answer to `requestPath`. The path must be where the very blob of the
 * request is kept, and range and status must agree. The answer itself has no body (Content-Length 0 or absent).
 *
 * @returns the reason when the hand-over cannot be accepted.
 */
export function parseHandOver(requestPath: string, status: number, headers: ResponseHeaders): HandOver | string {
  const [, path, algorithm, shard, hex, first, last] = VALUE.exec(headers.file) ?? [];
  if (path === undefined || hex === undefined || !hex.startsWith(shard ?? '')) return 'the path is not that of a blob';
  const digest = `${algorithm}:${hex}`;
  if (parseDigest(digest) === undefined || !requestPath.endsWith(`/blobs/${digest}`)) return 'the path is not that of the requested blob';
  if (headers.contentLength > 0) return 'the answer announces a body of its own';
  const start = Number(first);
  const end = Number(last);
  if (end < start) return 'the range is empty';
  const size = status === 200 && start === 0 ? end + 1 : sizeOfRange(status, headers.contentRange, start, end);
  return size === undefined ? `status ${status} and the range do not agree` : { status, path, start, end, size };
}

function sizeOfRange(status: number, contentRange: string, start: number, end: number): number | undefined {
  const match = status === 206 ? /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(contentRange) : null;
  const size = Number(match?.[3]);
  return match !== null && Number(match[1]) === start && Number(match[2]) === end && size > end ? size : undefined;
}
