import type { Counter, Metrics } from '@haven/runtime';
import type { Exchange } from '../exchange/exchange.js';
import type { ExchangeObserver, ProxyContext } from '../server/context.js';
import type { AccessLog } from './access-log.js';

/** Counts and logs what has happened. Sums that need no labels of their own are kept as plain numbers until they are scraped. */
export class Observer implements ExchangeObserver {
  readonly #metrics: Metrics;
  readonly #accessLog: AccessLog;
  readonly #sent = new Map<string, number>();
  #abandoned = 0;
  /** Connections closed because there were too many. */
  dropped = 0;

  constructor(metrics: Metrics, accessLog: AccessLog) {
    this.#metrics = metrics;
    this.#accessLog = accessLog;
    const sent = this.#sent;
    metrics.counter({
      name: 'haven_proxy_response_bytes_total', help: 'Bytes of response bodies sent to clients', labelNames: ['route'],
      collect(this: Counter<'route'>) { replace(this, sent); },
    });
    const single = (name: string, help: string, value: () => number): void => {
      metrics.counter({ name, help, collect(this: Counter) { this.reset(); this.inc(value()); } });
    };
    single('haven_proxy_broken_exchanges_total', 'Requests whose answer was not delivered whole', () => this.#abandoned);
    single('haven_proxy_dropped_connections_total', 'Connections closed because HAVEN_MAX_CONNECTIONS was reached', () => this.dropped);
  }

  /** Adds what is read from the proxy's state at the time of a scrape. */
  watch(context: ProxyContext): void {
    const { upstreams, inFlight, blobFiles } = context;
    const groups = Object.values(upstreams);
    this.#metrics.gauge({
      name: 'haven_proxy_requests_in_flight', help: 'Requests that are being answered now', collect() { this.set(inFlight.size); },
    });
    this.#metrics.gauge({
      name: 'haven_proxy_upstream_healthy', help: '1 when the replica is believed to work', labelNames: ['upstream', 'url'],
      collect() { for (const group of groups) for (const member of group.members) this.set({ upstream: group.name, url: member.url }, member.healthy ? 1 : 0); },
    });
    this.#metrics.gauge({
      name: 'haven_proxy_upstream_pending', help: 'Requests under way at the replica', labelNames: ['upstream', 'url'],
      collect() { for (const group of groups) for (const member of group.members) this.set({ upstream: group.name, url: member.url }, member.pending); },
    });
    if (blobFiles === undefined) return;
    this.#metrics.gauge({
      name: 'haven_proxy_file_buffers_lent', help: 'Buffers of 1 MiB in use for sending blob files', collect() { this.set(blobFiles.buffers.lent); },
    });
  }

  observe(exchange: Exchange): void {
    const milliseconds = performance.now() - exchange.startedAt;
    const complete = exchange.response.writableFinished;
    const route = exchange.route.name;
    this.#sent.set(route, (this.#sent.get(route) ?? 0) + exchange.bytes);
    if (!complete) this.#abandoned += 1;
    this.#metrics.observeHttp({ method: exchange.request.method ?? '', route, status: exchange.status, seconds: milliseconds / 1000 });
    this.#accessLog.record(exchange, milliseconds, complete);
  }
}

function replace(counter: Counter<'route'>, sums: ReadonlyMap<string, number>): void {
  counter.reset();
  for (const [route, sum] of sums) counter.inc({ route }, sum);
}
