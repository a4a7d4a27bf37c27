import { createServer, type Server } from 'node:http';
import { listenOn, type ListenAddress } from '@haven/runtime';
import type { Dispatcher } from './dispatcher.js';

const HEADERS_TIMEOUT_MS = 60_000;
/** A blob may take hours, but never this long without a byte. */
const IDLE_TIMEOUT_MS = 120_000;
/** Longer than the proxy keeps its side, so that it never picks a connection we are about to close. */
const KEEP_ALIVE_MS = 90_000;
const GOODBYE_MS = 500;
const MAX_HEADER_BYTES = 32 * 1024;

/** The registry's HTTP server: plain node:http, because every byte of every blob passes through it. */
export class RegistryServer {
  readonly #server: Server;
  #draining = false;

  constructor(dispatcher: Dispatcher) {
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      highWaterMark: 256 * 1024,
      noDelay: true,
    }, (request, response) => {
      if (this.#draining) response.shouldKeepAlive = false;
      dispatcher.handle(request, response);
    });
    this.#server.setTimeout(IDLE_TIMEOUT_MS);
  }

  async listen(address: ListenAddress): Promise<{ readonly port: number }> {
    return listenOn(this.#server, address, 'HAVEN_LISTEN');
  }

  /**
   * Lets running requests end and takes no new ones. For a moment kept connections are answered with "close" first: a
   * request that is already on its way to us must not meet a connection that we have closed.
   */
  async close(): Promise<void> {
    this.#draining = true;
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
  }
}
