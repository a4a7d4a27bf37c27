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
  /** How long a client may take to send its headers. */
  headersMs: 30_000,
  /** How long an idle connection is kept; longer than the 60 s after which load balancers usually let go. */
  keepAliveMs: 75_000,
  /** How long nothing may move on a connection in the middle of a request or an answer. */
  idleMs: 120_000,
  /** How often the time-outs of connections are looked at. */
  checkMs: 2_000,
  /** After an early answer: how much of the rest of a request is read, and for how long, so that the client sees the answer. */
  lingerBytes: 8 * MIB,
  lingerMs: 2_000,
  /** How long connecting to an upstream may take. */
  connectMs: 5_000,
  /** How many replicas one request is offered to. */
  attempts: 3,
} as const;

/** The largest body that the registry's manifest routes and the REST API take. */
export const BODY_BYTES = { none: 64 * KIB, manifest: 4 * MIB, api: 10 * MIB } as const;
