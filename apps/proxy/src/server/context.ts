import type { Logger } from '@haven/runtime';
import type { Exchange } from '../exchange/exchange.js';
import type { Timeouts } from '../limits/limits.js';
import type { UpstreamName } from '../routing/routes.js';
import type { BlobFiles } from '../transfer/blob-files.js';
import type { UpstreamGroup } from '../upstream/upstream-group.js';
import type { InFlight } from './in-flight.js';

/** Is told of every finished exchange. */
export interface ExchangeObserver {
  observe(exchange: Exchange): void;
}

/** What all requests share. */
export interface ProxyContext {
  readonly logger: Logger;
  readonly upstreams: Readonly<Record<UpstreamName, UpstreamGroup>>;
  /** Present when the proxy can read the blobs itself. */
  readonly blobFiles: BlobFiles | undefined;
  readonly observer: ExchangeObserver;
  readonly timeouts: Timeouts;
  readonly inFlight: InFlight;
  /** No more requests are wanted on the connections that are open. */
  draining: boolean;
  /** The public port of HTTPS when plain HTTP is only there to point to it. */
  redirectPort: number | undefined;
}
