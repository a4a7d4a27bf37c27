import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { releaseWhenWritten } from '@haven/runtime';
import { ResponseHeaders } from '../headers/response-headers.js';
import { LIMITS } from '../limits/limits.js';
import type { UpstreamGroup } from '../upstream/upstream-group.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Exchange } from './exchange.js';
import type { RefusalName } from './refusals.js';
import { isConnectFault, refusalFor } from './upstream-fault.js';

export interface BodyFraming {
  /** Bytes to come; -1 when the client sends chunks. */
  readonly contentLength: number;
  /** The client sends the body only after a 100 (Continue). */
  readonly awaitContinue: boolean;
}

/**
 * Passes a request with a body on, at the pace of the slower side, and streams the answer back. The body is not touched
 * before the upstream is connected (and, when the client waits for it, has said 100), so until then another replica can take over.
 */
export class BodyRelay {
  readonly #exchange: Exchange;
  readonly #target: string;
  readonly #headers: string[];
  readonly #framing: BodyFraming;
  #upstream: Upstream | undefined;
  #tried: Upstream[] = [];
  #outgoing: ClientRequest | undefined;
  #incoming: IncomingMessage | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What the client is told when the timer ends. */
  #blame: RefusalName = 'upstreamSlow';
  #bodyBegun = false;
  #received = 0;
  #done = false;

  constructor(exchange: Exchange, target: string, headers: string[], framing: BodyFraming) {
    this.#exchange = exchange;
    this.#target = target;
    this.#framing = framing;
    this.#headers = headers;
    if (framing.contentLength >= 0) headers.push('content-length', String(framing.contentLength));
    else headers.push('transfer-encoding', 'chunked');
    if (framing.awaitContinue) headers.push('expect', '100-continue');
  }

  start(): void {
    this.#exchange.onAbandoned = () => { this.#stop(); };
    this.#connect(this.#group.pick());
  }

  get #group(): UpstreamGroup {
    return this.#exchange.context.upstreams[this.#exchange.route.upstream as 'registry' | 'core'];
  }

  get #answerMs(): number {
    return this.#exchange.context.timeouts.answerMs * this.#exchange.route.patience;
  }

  #connect(upstream: Upstream | undefined): void {
    if (upstream === undefined) {
      this.#fail('unavailable');
      return;
    }
    this.#upstream = upstream;
    upstream.pending += 1;
    this.#exchange.waiting = true;
    this.#expectWithin(LIMITS.connectMs, 'unavailable');
    const outgoing = upstream.request(this.#exchange.request.method as string, this.#target, this.#headers);
    this.#outgoing = outgoing;
    outgoing.on('error', (error) => { this.#onError(outgoing, error); });
    outgoing.on('response', (incoming) => { this.#answer(incoming); });
    outgoing.on('drain', () => {
      if (this.#bodyBegun && !this.#done && this.#incoming === undefined) {
        this.#exchange.waiting = false;
        this.#blame = 'slowClient';
      }
      this.#exchange.request.resume();
    });
    outgoing.on('socket', (socket) => { this.#whenConnected(socket, upstream.secure ? 'secureConnect' : 'connect'); });
    outgoing.on('continue', () => {
      this.#exchange.response.writeContinue();
      this.#sendBody();
    });
  }

  #whenConnected(socket: Socket, event: 'connect' | 'secureConnect'): void {
    if (socket.connecting) socket.once(event, () => { this.#onConnected(); });
    else this.#onConnected();
  }

  #onConnected(): void {
    if (this.#framing.awaitContinue) this.#expectWithin(this.#answerMs, 'upstreamSlow');
    else this.#sendBody();
  }

  #sendBody(): void {
    const { request, route, context } = this.#exchange;
    const outgoing = this.#outgoing;
    if (this.#bodyBegun || this.#done || outgoing === undefined) return;
    this.#bodyBegun = true;
    this.#exchange.waiting = false;
    const idle = route.bodyTime === 'idle';
    this.#expectWithin(idle ? context.timeouts.idleMs : context.timeouts.bodyMs, 'slowClient');
    request.on('data', (chunk: Buffer) => { this.#pass(outgoing, chunk, idle); });
    request.on('end', () => { this.#endBody(outgoing); });
  }

  #pass(outgoing: ClientRequest, chunk: Buffer, idle: boolean): void {
    if (this.#done || this.#incoming !== undefined) return;
    this.#received += chunk.length;
    if (this.#received > this.#exchange.route.bodyBytes) {
      this.#fail('bodyTooLarge');
      return;
    }
    if (idle) this.#timer?.refresh();
    if (outgoing.write(chunk, releaseWhenWritten(chunk))) {
      this.#blame = 'slowClient';
      return;
    }
    this.#blame = 'upstreamSlow';
    this.#exchange.waiting = true;
    this.#exchange.request.pause();
  }

  #endBody(outgoing: ClientRequest): void {
    if (this.#done || this.#incoming !== undefined) return;
    this.#exchange.waiting = true;
    this.#expectWithin(this.#answerMs, 'upstreamSlow');
    outgoing.end();
  }

  #answer(incoming: IncomingMessage): void {
    if (this.#done) {
      incoming.destroy();
      return;
    }
    this.#incoming = incoming;
    const { response, request } = this.#exchange;
    const status = incoming.statusCode ?? 0;
    const headers = ResponseHeaders.fromRaw(incoming.rawHeaders);
    if (headers.file !== '' || status < 200 || status > 599) {
      this.#exchange.context.logger.error('an upstream gave an answer that nobody can have asked for', { requestId: this.#exchange.requestId, url: this.#upstream?.url, status, file: headers.file });
      this.#fail('upstreamGone');
      return;
    }
    if (this.#exchange.unfinished) request.pause();
    this.#exchange.head(status, headers.passed);
    this.#expectWithin(this.#exchange.context.timeouts.idleMs, 'upstreamSlow');
    incoming.on('data', (chunk: Buffer) => {
      this.#exchange.bytes += chunk.length;
      this.#timer?.refresh();
      if (!response.write(chunk, releaseWhenWritten(chunk))) incoming.pause();
    });
    response.on('drain', () => { incoming.resume(); });
    incoming.on('end', () => { this.#finish(); });
    incoming.on('error', (error) => { this.#onError(this.#outgoing, error); });
    incoming.on('close', () => { if (!incoming.complete) this.#onError(this.#outgoing, new Error('the upstream closed the connection in the middle of its answer')); });
  }

  #finish(): void {
    if (this.#done) return;
    this.#leave();
    // Refused before it was all sent: the rest of the body goes nowhere, so the upstream's connection is of no more use.
    if (this.#exchange.unfinished) this.#outgoing?.destroy();
    this.#exchange.end();
  }

  #onError(outgoing: ClientRequest | undefined, error: Error): void {
    if (this.#done || outgoing !== this.#outgoing) return;
    const { context, requestId, path, response } = this.#exchange;
    const upstream = this.#upstream;
    const connectFault = isConnectFault(error);
    if (connectFault) upstream?.markDown(error.message);
    if (connectFault && !this.#bodyBegun && upstream !== undefined && this.#tried.length + 1 < LIMITS.attempts) {
      upstream.pending -= 1;
      this.#upstream = undefined;
      this.#tried = [...this.#tried, upstream];
      this.#connect(this.#group.pick(this.#tried));
      return;
    }
    context.logger.warn('an upstream failed', { requestId, url: upstream?.url, path, begun: response.headersSent, error });
    this.#fail(refusalFor(error));
  }

  #expectWithin(milliseconds: number, blame: RefusalName): void {
    clearTimeout(this.#timer);
    this.#blame = blame;
    this.#timer = setTimeout(() => { this.#onTimer(); }, milliseconds);
  }

  #onTimer(): void {
    if (this.#done) return;
    // While the client reads slowly, its own connection's time-out is what counts.
    if (this.#incoming?.isPaused() === true) this.#timer?.refresh();
    else this.#fail(this.#blame);
  }

  #fail(name: RefusalName): void {
    this.#stop();
    this.#exchange.refuse(name);
  }

  /** Breaks off towards the upstream. */
  #stop(): void {
    this.#leave();
    this.#outgoing?.destroy();
  }

  #leave(): void {
    clearTimeout(this.#timer);
    if (this.#upstream !== undefined) this.#upstream.pending -= 1;
    this.#upstream = undefined;
    this.#done = true;
  }
}
