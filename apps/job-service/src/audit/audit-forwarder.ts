import { once } from 'node:events';
import { hostname } from 'node:os';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jitteredDelay, type Counter, type Logger, type Metrics } from '@haven/runtime';
import type { AuditEntry } from './audit-entry.js';
import { syslogLine } from './syslog-line.js';

/** Lines that wait for the server at most; further ones are counted and not kept. */
const MOST_WAITING = 10_000;
const LARGEST_WRITE = 100;
const TIMEOUT_MS = 5_000;
/** Far shorter than the time that `deliver` has: once the server is back, nobody may fail for the sake of a pause. */
const BACKOFF = { baseMs: 200, maxMs: 2_000 };

interface Waiting {
  readonly line: string;
  /** Told once the line was handed to the network, or given up. */
  readonly settle?: ((error?: Error) => void) | undefined;
}

/**
 * Sends lines of the audit trail to a syslog server over TCP (RFC 5424 messages, each ended by a line feed as in RFC 6587,
 * section 3.4.2), in order, connecting again as often as it takes.
 */
export class AuditForwarder {
  readonly #logger: Logger;
  readonly #dropped: Counter;
  readonly #host = hostname();
  #endpoint = '';
  #waiting: Waiting[] = [];
  #socket: Socket | undefined;
  #running: Promise<void> | undefined;
  #stop = new AbortController();
  #failures = 0;
  #overflowing = false;

  constructor(parts: { readonly logger: Logger; readonly metrics: Metrics }) {
    this.#logger = parts.logger;
    this.#dropped = parts.metrics.counter({ name: 'haven_audit_forward_dropped_total', help: 'Lines of the audit trail that the syslog server did not take in time' });
  }

  /** The server from now on, host:port; none when empty. What waits for another server goes to this one. */
  use(endpoint: string): void {
    if (endpoint === this.#endpoint) return;
    this.#endpoint = endpoint;
    this.#socket?.destroy();
    this.#failures = 0;
    if (endpoint === '') this.#giveUp(new Error('no syslog server is set'));
    else this.#start();
  }

  /** Hands lines over when the server takes them. Never waits; when too many lines wait, further ones are dropped and counted. */
  send(entries: readonly AuditEntry[]): void {
    if (this.#endpoint === '') return;
    const room = Math.max(0, MOST_WAITING - this.#waiting.length);
    this.#enqueue(entries.slice(0, room).map((entry) => ({ line: syslogLine(entry, this.#host) })));
    this.#drop(entries.length - Math.min(room, entries.length));
  }

  /** Resolves once the network took all lines; rejects when it does not within five seconds, so that the caller tries again. */
  async deliver(entries: readonly AuditEntry[]): Promise<void> {
    if (this.#endpoint === '') throw new Error('the audit trail is kept by nobody: set audit_log_forward_endpoint, or skip_audit_log_database to false');
    if (this.#waiting.length + entries.length > MOST_WAITING) throw new Error('too many lines wait for the syslog server');
    await new Promise<void>((resolve, reject) => {
      let left = entries.length;
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiting) => waiting.settle !== settle);
        reject(new Error(`the syslog server ${this.#endpoint} did not take the lines in time`));
      }, TIMEOUT_MS);
      const settle = (error?: Error): void => {
        left -= 1;
        if (error === undefined && left > 0) return;
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#enqueue(entries.map((entry) => ({ line: syslogLine(entry, this.#host), settle })));
    });
  }

  /** Gives what waits a moment to leave, then ends. */
  async close(): Promise<void> {
    if (this.#waiting.length > 0 && this.#endpoint !== '') await Promise.race([this.#running, sleep(TIMEOUT_MS, undefined, { ref: false })]);
    this.#stop.abort();
    this.#socket?.destroy();
    await this.#running;
    this.#giveUp(new Error('the service stops'));
  }

  #enqueue(waiting: readonly Waiting[]): void {
    this.#waiting.push(...waiting);
    this.#start();
  }

  #start(): void {
    if (this.#stop.signal.aborted || this.#waiting.length === 0 || this.#endpoint === '') return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#start();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && this.#endpoint !== '' && !this.#stop.signal.aborted) {
      try {
        await this.#writeSome();
        if (this.#failures > 0) this.#logger.info('the audit trail is forwarded again', { endpoint: this.#endpoint });
        this.#failures = 0;
        this.#overflowing = false;
      } catch (error) {
        this.#failures += 1;
        if (this.#failures === 1) this.#logger.warn('the audit trail cannot be forwarded; lines wait for the syslog server', { endpoint: this.#endpoint, error });
        await sleep(jitteredDelay(this.#failures, BACKOFF), undefined, { signal: this.#stop.signal }).catch(() => undefined); // Rejects only when stopped.
      }
    }
  }

  /** Lines are taken off the queue only once they left: what a broken connection took half is sent again. */
  async #writeSome(): Promise<void> {
    const socket = this.#socket ?? (await this.#open(this.#endpoint));
    this.#socket = socket;
    const batch = this.#waiting.slice(0, LARGEST_WRITE);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new Error('the syslog server takes nothing')), TIMEOUT_MS);
      socket.write(batch.map(({ line }) => line).join(''), (error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
    });
    const left = new Set(batch);
    this.#waiting = this.#waiting.filter((waiting) => !left.has(waiting));
    for (const { settle } of batch) settle?.();
  }

  async #open(endpoint: string): Promise<Socket> {
    const colon = endpoint.lastIndexOf(':');
    const socket = connect({ host: endpoint.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(endpoint.slice(colon + 1)) });
    socket.on('error', () => socket.destroy()); // Told to whoever writes.
    socket.on('close', () => { if (this.#socket === socket) this.#socket = undefined; });
    socket.resume(); // Syslog servers say nothing; what this one says is not wanted.
    await once(socket, 'connect', { signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#stop.signal]) }).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    if (endpoint === this.#endpoint) return socket;
    socket.destroy();
    throw new Error('another syslog server was set meanwhile');
  }

  #drop(count: number): void {
    if (count === 0) return;
    this.#dropped.inc(count);
    if (!this.#overflowing) this.#logger.error('lines of the audit trail are not forwarded: too many wait for the syslog server', { endpoint: this.#endpoint });
    this.#overflowing = true;
  }

  #giveUp(reason: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#dropped.inc(waiting.filter(({ settle }) => settle === undefined).length);
    for (const { settle } of waiting) settle?.(reason);
  }
}
