/**
 * Every error that a registry answers, with its status and its default sentence.
 * The first block is the OCI Distribution Spec's "Error Codes"; the second is what deployed registries and clients
 * add to it (CNCF Distribution's codes for tags, ranges and paging; Harbor's for rules about tags; Haven's for size, space
 * and availability).
 */
export const OCI_ERRORS = {
  BLOB_UNKNOWN: { status: 404, message: 'This repository has no such blob.' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'The upload cannot go on; start a new one.' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'There is no such upload; start a new one.' },
  DIGEST_INVALID: { status: 400, message: 'The digest is malformed or does not match the content.' },
  MANIFEST_BLOB_UNKNOWN: { status: 404, message: 'The manifest refers to content that this repository does not have; push that first.' },
  MANIFEST_INVALID: { status: 400, message: 'The manifest is malformed.' },
  MANIFEST_UNKNOWN: { status: 404, message: 'This repository has no such manifest.' },
  NAME_INVALID: { status: 400, message: 'The repository name is malformed.' },
  NAME_UNKNOWN: { status: 404, message: 'There is no such repository.' },
  SIZE_INVALID: { status: 400, message: 'The length that was announced is not the length that was received.' },
  UNAUTHORIZED: { status: 401, message: 'Log in to do this.' },
  DENIED: { status: 403, message: 'You may not do this.' },
  UNSUPPORTED: { status: 405, message: 'This operation is not supported.' },
  TOOMANYREQUESTS: { status: 429, message: 'Too many requests; try again later.' },

  TAG_INVALID: { status: 400, message: 'The tag is malformed.' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'The page size must be a whole number from 1 upwards.' },
  PRECONDITION: { status: 412, message: 'A rule of the project does not allow this.' },
  RANGE_INVALID: { status: 416, message: 'The range is malformed or does not continue what was received.' },
  REQUEST_ENTITY_TOO_LARGE: { status: 413, message: 'The request is too large.' },
  INSUFFICIENT_STORAGE: { status: 507, message: 'The registry has no space left.' },
  UNAVAILABLE: { status: 503, message: 'The registry cannot do this at the moment; try again later.' },
  UNKNOWN: { status: 500, message: 'The registry failed; the administrator finds the reason in its log.' },
} as const satisfies Record<string, { status: number; message: string }>;

/** A code of {@link OCI_ERRORS}. */
export type OciErrorCode = keyof typeof OCI_ERRORS;

/** What may differ from the table's row. */
export interface OciErrorOptions {
  /** The sentence for the client: what happened and what to do. Never internals. */
  readonly message?: string;
  /** Goes into the answer's `detail`; must survive JSON. */
  readonly detail?: unknown;
  /** HTTP status instead of the table's. */
  readonly status?: number;
  /** Headers to send with the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What led here; logged, never sent. */
  readonly cause?: unknown;
}

/** An answer to the client that is not a success. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciErrorCode;
  readonly status: number;
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;

  constructor(code: OciErrorCode, options: OciErrorOptions = {}) {
    super(options.message ?? OCI_ERRORS[code].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? OCI_ERRORS[code].status;
    if (options.detail !== undefined) this.detail = options.detail;
    if (options.headers !== undefined) this.headers = options.headers;
  }
}

/** The JSON body of an error answer (OCI Distribution Spec, "Error Codes"). */
export function ociErrorBody(error: OciError): string {
  return JSON.stringify({ errors: [{ code: error.code, message: error.message, detail: error.detail }] });
}
