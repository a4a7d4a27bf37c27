/**
 * What the REST API can refuse: the code that clients read, its HTTP status and the sentence that stands when a handler
 * has nothing more exact to say. Codes and statuses are those of the Harbor v2.0 API.
 */
export const PROBLEMS = {
  BAD_REQUEST: { status: 400, message: 'the request is not valid' },
  DIGEST_INVALID: { status: 400, message: 'the digest is not valid' },
  MANIFEST_INVALID: { status: 400, message: 'the manifest is not valid' },
  UNSUPPORTED: { status: 400, message: 'the operation is not supported' },
  UNAUTHORIZED: { status: 401, message: 'log in to do this' },
  FORBIDDEN: { status: 403, message: 'your account may not do this' },
  DENIED: { status: 403, message: 'the operation is denied' },
  NOT_FOUND: { status: 404, message: 'there is no such resource' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'this resource does not know that method' },
  CONFLICT: { status: 409, message: 'the resource exists already' },
  PRECONDITION: { status: 412, message: 'the resource is not in a state that allows this' },
  VIOLATE_FOREIGN_KEY_CONSTRAINT: { status: 412, message: 'something else still refers to the resource' },
  PROJECTPOLICYVIOLATION: { status: 412, message: "a policy of the project forbids this" },
  REQUEST_ENTITY_TOO_LARGE: { status: 413, message: 'the request is too large' },
  URI_TOO_LONG: { status: 414, message: 'the address of the request is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'send the body as application/json' },
  UNPROCESSABLE_ENTITY: { status: 422, message: 'the request does not have the expected form' },
  TOO_MANY_REQUEST: { status: 429, message: 'too many requests; try again later' },
  UNKNOWN: { status: 500, message: 'internal server error' },
  SERVICE_UNAVAILABLE: { status: 503, message: 'the service cannot answer just now; try again in a moment' },
} as const satisfies Record<string, { readonly status: number; readonly message: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface ProblemOptions {
  /** Sent with the answer, for instance Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only; never sent. */
  readonly cause?: unknown;
}

/** An answer that refuses. `message` goes to the client: it says what is wrong and what to do, and carries no internals. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: ProblemCode,
    message: string = PROBLEMS[code].message,
    { headers = {}, cause }: ProblemOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = PROBLEMS[code].status;
    this.headers = headers;
  }
}

/** The code that stands for an HTTP status which no handler chose itself, such as those of the HTTP framework. */
export function problemCodeOf(status: number): ProblemCode {
  const known = (Object.keys(PROBLEMS) as ProblemCode[]).find((code) => PROBLEMS[code].status === status);
  if (known !== undefined) return known;
  return status >= 400 && status < 500 ? 'BAD_REQUEST' : 'UNKNOWN';
}
