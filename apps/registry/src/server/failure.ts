import type { IncomingMessage, ServerResponse } from 'node:http';
import { CatalogError, type CatalogErrorCode } from '@haven/catalog';
import { DatabaseUnavailable } from '@haven/database';
import { OciError, ociErrorBody, type OciErrorCode } from '@haven/oci';
import type { Logger } from '@haven/runtime';
import { BlobMissing, StorageError, UploadMissing } from '@haven/storage';
import { announcedLength, BodyInterrupted } from './request-body.js';

const RETRY_AFTER_SECONDS = '2';
/** How long a refused body is taken off the wire, so that the client gets to read the answer. */
const DISCARD_MS = 5_000;
const SHORT_BODY = 64 * 1024;

const CATALOG_CODES: Record<CatalogErrorCode, { readonly code: OciErrorCode; readonly status?: number }> = {
  'project-unknown': { code: 'NAME_UNKNOWN' },
  'repository-unknown': { code: 'NAME_UNKNOWN' },
  'manifest-unknown': { code: 'MANIFEST_UNKNOWN' },
  'tag-unknown': { code: 'MANIFEST_UNKNOWN' },
  'blob-unknown': { code: 'BLOB_UNKNOWN' },
  'references-missing': { code: 'MANIFEST_BLOB_UNKNOWN' },
  'size-mismatch': { code: 'MANIFEST_INVALID' },
  referenced: { code: 'DENIED', status: 412 },
  'blob-deleting': { code: 'UNAVAILABLE' },
  'upload-unknown': { code: 'BLOB_UPLOAD_UNKNOWN' },
  'upload-changed': { code: 'BLOB_UPLOAD_INVALID', status: 409 },
  'quota-exceeded': { code: 'DENIED' },
  immutable: { code: 'PRECONDITION' },
  'tag-exists': { code: 'DENIED', status: 409 },
  'accessory-source': { code: 'DENIED' },
  'bin-entry-unknown': { code: 'MANIFEST_UNKNOWN' },
  'restore-conflict': { code: 'DENIED', status: 409 },
};

/** Says in the protocol's terms what went wrong; whatever is not foreseen becomes UNKNOWN and keeps its reason for the log. */
export function ociErrorOf(error: unknown): OciError {
  if (error instanceof OciError) return error;
  if (error instanceof CatalogError) return fromCatalog(error);
  if (error instanceof BlobMissing) return new OciError('BLOB_UNKNOWN', { cause: error });
  if (error instanceof UploadMissing) return new OciError('BLOB_UPLOAD_UNKNOWN', { cause: error });
  if (error instanceof DatabaseUnavailable) return unavailable(error);
  if (error instanceof StorageError) return fromStorage(error);
  return new OciError('UNKNOWN', { cause: error });
}

/** Answers a failed request, or cuts the connection when the answer had begun: a short body must not look whole. */
export function answerFailure(error: unknown, request: IncomingMessage, response: ServerResponse, requestId: string, logger: Logger): void {
  // Storage that fails in the middle of an answer ends it, too, but that is no whim of the client.
  if (error instanceof BodyInterrupted || (response.destroyed && !(error instanceof StorageError))) {
    request.destroy();
    return;
  }
  const failure = ociErrorOf(error);
  // The path without its query: clients put things there that nobody may read in a log.
  const path = request.url?.split('?', 1)[0];
  if (failure.status >= 500) logger.error('a request failed', { requestId, method: request.method, path, error: failure.cause ?? failure });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = ociErrorBody(failure);
  response.writeHead(failure.status, {
    ...failure.headers,
    ...(failure.status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    ...(endsSoon(request) ? {} : { connection: 'close' }),
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'docker-distribution-api-version': 'registry/2.0',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  });
  const content = request.method === 'HEAD' ? '' : body;
  if (endsSoon(request)) {
    response.end(content);
    if (!request.complete) discardRest(request, () => request.destroy());
    return;
  }
  // The end of this answer closes the connection. Bytes that still come would then reset it, and the answer would be
  // lost before it is read: so the answer ends after the request.
  response.write(content);
  request.once('end', () => response.end());
  discardRest(request, () => response.end());
}

/** A short body is read to its end, so that the connection can be used again; a long one is not worth waiting for. */
function endsSoon(request: IncomingMessage): boolean {
  const announced = announcedLength(request);
  return request.complete || (announced !== undefined && announced <= SHORT_BODY);
}

/** Reads on without looking; `giveUp` is called when the request has not ended after DISCARD_MS. */
function discardRest(request: IncomingMessage, giveUp: () => void): void {
  const timer = setTimeout(giveUp, DISCARD_MS).unref();
  request.once('close', () => clearTimeout(timer));
  request.resume();
}

function fromCatalog(error: CatalogError): OciError {
  const { code, status } = CATALOG_CODES[error.code];
  return new OciError(code, {
    message: `${error.message}.`,
    cause: error,
    ...(status === undefined ? {} : { status }),
    ...(error.digests.length === 0 ? {} : { detail: { digests: error.digests } }),
  });
}

function fromStorage(error: StorageError): OciError {
  if (error.kind === 'full') return new OciError('INSUFFICIENT_STORAGE', { message: 'The registry has no space left; ask its administrator to free some.', cause: error });
  return error.kind === 'unavailable' ? unavailable(error) : new OciError('UNKNOWN', { cause: error });
}

function unavailable(cause: Error): OciError {
  return new OciError('UNAVAILABLE', { cause });
}
