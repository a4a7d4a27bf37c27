import type { ServerOptions } from 'node:http';
import { LIMITS, type Timeouts } from '../limits/limits.js';

/** How node's parser is set: strict, with bounds. Time for bodies is bounded route by route instead of here. */
export function httpOptions({ headersMs }: Timeouts): ServerOptions {
  return {
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: headersMs,
    requestTimeout: 0,
    keepAliveTimeout: LIMITS.keepAliveMs,
    connectionsCheckingInterval: Math.min(headersMs / 4, 5000),
    insecureHTTPParser: false,
    // The proxy refuses a request without Host itself, with a request id.
    requireHostHeader: false,
    noDelay: true,
    highWaterMark: 256 * 1024,
  };
}
