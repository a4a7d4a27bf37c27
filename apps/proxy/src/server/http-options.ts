import type { ServerOptions } from 'node:http';
import { LIMITS } from '../limits/limits.js';

/** How node's parser is set: strict, with bounds. Time for bodies is bounded route by route instead of here. */
export const HTTP_OPTIONS: ServerOptions = {
  maxHeaderSize: LIMITS.headerBytes,
  headersTimeout: LIMITS.headersMs,
  requestTimeout: 0,
  keepAliveTimeout: LIMITS.keepAliveMs,
  connectionsCheckingInterval: LIMITS.checkMs,
  insecureHTTPParser: false,
  // The proxy refuses a request without Host itself, with a request id.
  requireHostHeader: false,
  noDelay: true,
  highWaterMark: 256 * 1024,
};
