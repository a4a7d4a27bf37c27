import type { Dispatcher } from 'undici';
import { isWorthReleasing, releaseWhenWritten } from '@haven/runtime';
import { ResponseHeaders } from '../headers/response-headers.js';
import { LIMITS } from '../limits/limits.js';
import { FileTransfer } from '../transfer/file-transfer.js';
import { parseHandOver } from '../transfer/hand-over.js';
import type { UpstreamGroup } from '../upstream/upstream-group.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Exchange } from './exchange.js';
import { isConnectFault, refusalFor } from './upstream-fault.js';

/** Passes a request without a body on and streams the answer back. It is its own dispatch handler: one object for each request. */
export class FetchRelay implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #target: string;
  readonly #headers: string[];
  readonly #offersFile: boolean;
  #upstream: Upstream | undefined;
  #tried: Upstream[] | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #length = -1;
  /** The whole answer has been given to the client's connection. */
  #ended = false;
  #file: FileTransfer | undefined;
  #listensForDrain = false;

  constructor(exchange: Exchange, target: string, headers: string[], offersFile: boolean) {
    this.#exchange = exchange;
    this.#target = target;
    this.#headers = headers;
    this.#offersFile = offersFile;
  }

  start(): void {
    this.#exchange.waiting = true;
    this.#exchange.onAbandoned = () => { this.#abandon(); };
    this.#dispatch(this.#group.pick());
  }

  get #group(): UpstreamGroup {
    return this.#exchange.context.upstreams[this.#exchange.route.upstream as 'registry' | 'core'];
  }

  #dispatch(upstream: Upstream | undefined): void {
    if (upstream === undefined) {
      this.#exchange.refuse('unavailable');
      return;
    }
    this.#upstream = upstream;
    upstream.pending += 1;
    const { request, route, context } = this.#exchange;
    const headersTimeout = context.timeouts.answerMs * route.patience;
    // reset: false keeps the connection after a HEAD, which undici would close.
    upstream.pool.dispatch({ path: this.#target, method: request.method as Dispatcher.HttpMethod, headers: this.#headers, headersTimeout, reset: false }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exchange.closed) controller.abort(new Error('the client is gone'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, record: Record<string, string | string[] | undefined>): void {
    if (status < 200 || this.#exchange.closed) return;
    const headers = ResponseHeaders.fromRecord(record);
    if (headers.file !== '') {
      this.#handOver(controller, status, headers);
      return;
    }
    this.#length = headers.contentLength;
    this.#exchange.head(status, headers.passed);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#exchange;
    if (this.#file !== undefined || this.#ended) {
      this.#reject(controller, 'a handed-over file came with a body of its own');
      return;
    }
    if (chunk.length === this.#length) {
      this.#ended = true;
      this.#exchange.end(chunk);
      return;
    }
    this.#exchange.bytes += chunk.length;
    const written = isWorthReleasing(chunk) ? response.write(chunk, releaseWhenWritten(chunk)) : response.write(chunk);
    if (written) return;
    controller.pause();
    if (this.#listensForDrain) return;
    this.#listensForDrain = true;
    response.on('drain', () => { controller.resume(); });
  }

  onResponseEnd(): void {
    this.#leave();
    if (this.#file !== undefined || this.#ended) return;
    this.#ended = true;
    this.#exchange.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const upstream = this.#leave();
    const exchange = this.#exchange;
    if (exchange.closed || this.#ended) return;
    const connectFault = isConnectFault(error);
    if (connectFault) upstream?.markDown(error.message);
    if (!exchange.response.headersSent && this.#file === undefined && this.#retry(upstream, error, connectFault)) return;
    exchange.context.logger.warn('an upstream failed', { requestId: exchange.requestId, url: upstream?.url, path: exchange.path, begun: exchange.response.headersSent, error });
    this.#file?.abort();
    exchange.refuse(refusalFor(error));
  }

  /**
   * Offers the request to another replica. Only GET and HEAD may have reached the first one without harm, and the start of an
   * upload: begun twice, it leaves a session that expires.
   */
  #retry(upstream: Upstream | undefined, error: Error, connectFault: boolean): boolean {
    const { request: { method }, route } = this.#exchange;
    const repeatable = method === 'GET' || method === 'HEAD' || (method === 'POST' && route.name === 'upload');
    const harmless = connectFault || (repeatable && refusalFor(error) === 'upstreamGone');
    if (!harmless || upstream === undefined) return false;
    this.#tried = [...(this.#tried ?? []), upstream];
    if (this.#tried.length >= LIMITS.attempts) return false;
    // A kept connection may have been closed while the request was on its way; that says nothing about the replica itself.
    const next = this.#group.pick(this.#tried) ?? (this.#tried.length === 1 && !connectFault ? upstream : undefined);
    if (next === undefined) return false;
    this.#controller = undefined;
    this.#dispatch(next);
    return true;
  }

  #handOver(controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    const { context, path } = this.#exchange;
    const handOver = this.#offersFile ? parseHandOver(path, status, headers) : 'it was not asked for';
    if (typeof handOver === 'string' || context.blobFiles === undefined) {
      this.#reject(controller, typeof handOver === 'string' ? handOver : 'this proxy cannot read the storage');
      return;
    }
    this.#file = new FileTransfer(this.#exchange, context.blobFiles, handOver, headers.passed);
    this.#exchange.onAbandoned = () => { this.#abandon(); this.#file?.abort(); };
    this.#file.start();
  }

  /** The upstream broke the agreement about files; asking another one would not help. */
  #reject(controller: Dispatcher.DispatchController, reason: string): void {
    const { context, requestId, path } = this.#exchange;
    context.logger.error('an upstream handed a blob file over wrongly', { requestId, path, url: this.#upstream?.url, reason });
    this.#ended = true;
    this.#file?.abort();
    this.#exchange.refuse('upstreamGone');
    controller.abort(new Error(reason));
  }

  #abandon(): void {
    this.#controller?.abort(new Error('the client is gone'));
  }

  /** Stops counting this request at its upstream; answers that upstream the first time. */
  #leave(): Upstream | undefined {
    const upstream = this.#upstream;
    if (upstream !== undefined) upstream.pending -= 1;
    this.#upstream = undefined;
    return upstream;
  }
}
