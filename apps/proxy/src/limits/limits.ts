const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What one client may ask of the proxy, whatever the route. Routes add their own limits: see routing/routes.ts.
 * Bytes, or milliseconds where the name ends in Ms.
 */
export const LIMITS = {
  /** Request line and headers together; more is answered with 431. */
  headerBytes: 32 * KIB,
  /** More headers than this are answered with 431. */
  headers: 100,
  /** Path and query together; more is answered with 414. */
  targetBytes: 8 * KIB,
  /** How long an idle connection is kept; longer than the 60 s after which load balancers usually let go. */
  keepAliveMs: 75_000,
  /** After an early answer: how much of the rest of a request is read, and for how long, so that the client sees the answer. */
  lingerBytes: 8 * MIB,
  lingerMs: 2_000,
  /** How long connecting to an upstream may take. */
  connectMs: 5_000,
  /** How many replicas one request is offered to. */
  attempts: 3,
} as const;

/** How long each side may take, in milliseconds; from the settings. */
export interface Timeouts {
  /** For a client to send its headers. */
  readonly headersMs: number;
  /** For a client to send the whole body of a request that is not an upload. */
  readonly bodyMs: number;
  /** For nothing to move on a connection in the middle of a request or an answer. */
  readonly idleMs: number;
  /** For an upstream to begin its answer once it has the request. */
  readonly answerMs: number;
}

/** The largest body that routes without one, login forms, the registry's manifest routes and the REST API take. */
export const BODY_BYTES = { none: 64 * KIB, form: 64 * KIB, manifest: 4 * MIB, api: 10 * MIB } as const;
