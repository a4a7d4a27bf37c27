import { errorCode } from '../error-code.js';
import { StorageError, type StorageFailure } from '../storage-error.js';

/**
 * An answer of the store that is not a success. Holds its code and nothing else of it: S3 puts key ids and signed
 * texts into error bodies, which must not reach a log.
 */
export class S3Refusal extends Error {
  override readonly name = 'S3Refusal';
  readonly status: number;
  /** S3's own code, such as `SlowDown`; empty when it sent none. */
  readonly code: string;
  readonly requestId: string;

  constructor(status: number, code: string, requestId = '') {
    super(`${code || 'an answer without a code'} (${status})`);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/** A body that ended early, an answer that took too long, or one that makes no sense. */
export class S3Interruption extends Error {
  override readonly name = 'S3Interruption';
}

const TRANSIENT_STATUS = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520]);
const TRANSIENT_CODES = new Set([
  'InternalError', 'SlowDown', 'ServiceUnavailable', 'RequestTimeout', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'OperationAborted', 'IncompleteBody',
  // The network's.
  'ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND', 'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT', 'HPE_INVALID_EOF_STATE', 'HPE_INVALID_CHUNK_SIZE',
]);
const FULL_CODES = new Set(['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'InsufficientCapacity', 'NotEnoughSpace', 'StorageFull']);
const GONE_CODES = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload', 'NoSuchVersion']);

/** True when the same call may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof S3Interruption) return true;
  if (error instanceof S3Refusal && TRANSIENT_STATUS.has(error.status)) return !FULL_CODES.has(error.code);
  return TRANSIENT_CODES.has(codeOf(error)) || isMalformed(error);
}

/** True when the object, or the multipart upload, that a call is about is not there. */
export function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return GONE_CODES.has(code) || (error instanceof S3Refusal && error.status === 404 && code === '');
}

/**
 * Whatever a call failed with, as the error to throw; without the original, which may hold what S3 was sent.
 * Bugs stay as they are, with their stack.
 */
export function s3Failure(error: unknown, doing: string): unknown {
  if (error instanceof StorageError || isBug(error)) return error;
  const what = error instanceof S3Refusal || error instanceof S3Interruption ? error.message : codeOf(error) || nameOf(error);
  const request = error instanceof S3Refusal && error.requestId !== '' ? `, request ${error.requestId}` : '';
  return new StorageError(kindOf(error), `S3 failed to ${doing}: ${what}${request}.${hint(error)}`);
}

function isBug(error: unknown): boolean {
  return !(error instanceof S3Refusal || error instanceof S3Interruption) && codeOf(error) === '' && !isMalformed(error);
}

function kindOf(error: unknown): StorageFailure {
  if (FULL_CODES.has(codeOf(error)) || (error instanceof S3Refusal && error.status === 507)) return 'full';
  return isTransient(error) ? 'unavailable' : 'broken';
}

function hint(error: unknown): string {
  const code = codeOf(error);
  if (code === 'NoSuchBucket') return ' Create the bucket, or correct HAVEN_STORAGE.';
  if (['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch'].includes(code)) return ' Check HAVEN_S3_ACCESS_KEY, HAVEN_S3_SECRET_KEY and the policy of the bucket.';
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) return ' Name the certificate of its authority with ca_file in HAVEN_STORAGE.';
  return '';
}

/** S3 may fail after it has answered 200; the client library then throws the parsed body, or an error without a code. */
function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'Code' in error && typeof error.Code === 'string') return error.Code;
  return errorCode(error) ?? '';
}

/** The client library could not read an answer, or found an error without a code in one that began as a success. */
function isMalformed(error: unknown): boolean {
  return codeOf(error) === '' && ['InvalidXMLError', 'S3Error'].includes(nameOf(error));
}

function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error && typeof error.name === 'string' ? error.name : 'an unknown error';
}
