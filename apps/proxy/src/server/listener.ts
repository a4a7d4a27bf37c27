import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listenOn } from '@haven/runtime';
import { receive, type Expectation } from '../exchange/receive.js';
import { LIMITS } from '../limits/limits.js';
import type { Certificate } from '../tls/certificate-files.js';
import { refuseRaw, refusalForClientError } from './client-errors.js';
import type { Connections } from './connections.js';
import type { ProxyContext } from './context.js';
import { httpOptions } from './http-options.js';

export interface ListenerOptions {
  readonly maxConnections: number;
  /** With a certificate the listener speaks TLS. */
  readonly certificate?: Certificate;
  readonly onDrop: () => void;
}

/** Connections live a little longer than the time-outs of bodies, which can still say what is wrong. */
const IDLE_MARGIN_MS = 1000;

/** One public port. */
export class Listener {
  readonly #server: Server;
  readonly #context: ProxyContext;
  readonly #connections: Connections;

  constructor(context: ProxyContext, connections: Connections, options: ListenerOptions) {
    this.#context = context;
    this.#connections = connections;
    const http1 = httpOptions(context.timeouts);
    this.#server = options.certificate === undefined
      ? http.createServer(http1) : https.createServer({ ...http1, ...tlsOptions(options.certificate), handshakeTimeout: context.timeouts.headersMs });
    const server = this.#server;
    server.maxConnections = options.maxConnections;
    server.maxHeadersCount = LIMITS.headers + 2;
    server.timeout = context.timeouts.idleMs + IDLE_MARGIN_MS;
    server.on('request', this.#handler('none'));
    server.on('checkContinue', this.#handler('continue'));
    server.on('checkExpectation', this.#handler('unknown'));
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => { refuseRaw(socket, 'method'); });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => { this.#onClientError(error, socket); });
    server.on('timeout', (socket: Socket) => { this.#onTimeout(socket); });
    server.on('drop', options.onDrop);
  }

  async listen(host: string, port: number, setting: string): Promise<AddressInfo> {
    const address = await listenOn(this.#server, { host, port }, setting);
    this.#server.on('error', (error) => { this.#context.logger.error('accepting connections failed', { error }); });
    return address;
  }

  /** From now on new connections get this certificate. */
  useCertificate(certificate: Certificate): void {
    if (this.#server instanceof https.Server) this.#server.setSecureContext(tlsOptions(certificate));
  }

  /** Takes no more connections and closes idle ones; resolves when the last one is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => { resolve(); });
      this.#server.closeIdleConnections();
    });
  }

  /** Closes also the connections that are in use. */
  closeAll(): void {
    this.#server.closeAllConnections();
  }

  #handler(expectation: Expectation): (request: IncomingMessage, response: ServerResponse) => void {
    const context = this.#context;
    const connections = this.#connections;
    return (request, response) => {
      try {
        receive(context, request, response, connections.of(request.socket), expectation);
      } catch (error) {
        // Nothing that a client sends may end the process; what is left of this request ends with its connection.
        context.logger.error('a request could not be handled', { error });
        request.socket.destroy();
      }
    };
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#connections.of(socket as Socket);
    if (connection.doomed) return;
    connection.doomed = true;
    connection.closing = true;
    // A second answer in the middle of one would be taken for a part of it, so those that are due come first.
    if (connection.latest?.unfinished === true) connection.latest.rejectBody(refusalForClientError(error));
    else if (error.code === 'ECONNRESET') socket.destroy();
    else if (connection.exchanges === 0) refuseRaw(socket, refusalForClientError(error));
  }

  #onTimeout(socket: Socket): void {
    if (this.#connections.of(socket).waiting > 0) socket.setTimeout(this.#server.timeout);
    else socket.destroy();
  }
}

function tlsOptions({ cert, key }: Certificate): https.ServerOptions {
  return { cert, key, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], honorCipherOrder: true };
}
