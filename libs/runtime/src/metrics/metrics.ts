import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type CounterConfiguration, type GaugeConfiguration, type HistogramConfiguration } from 'prom-client';

export type { Counter, Gauge, Histogram };

export interface HttpObservation {
  readonly method: string;
  /** The route's pattern, never the path: one series per path would be without bound. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** What a process measures, in the Prometheus text format. Asking twice for the same name answers the same metric. */
export class Metrics {
  readonly #registry = new Registry();
  #http: Histogram<'method' | 'route' | 'status'> | undefined;

  constructor({ service, defaults = false }: { readonly service?: string; readonly defaults?: boolean } = {}) {
    if (service !== undefined) this.#registry.setDefaultLabels({ service });
    if (defaults) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter<L extends string = string>(options: Omit<CounterConfiguration<L>, 'registers'>): Counter<L> {
    return this.#existing<Counter<L>>(options.name) ?? new Counter<L>({ ...options, registers: [this.#registry] });
  }

  gauge<L extends string = string>(options: Omit<GaugeConfiguration<L>, 'registers'>): Gauge<L> {
    return this.#existing<Gauge<L>>(options.name) ?? new Gauge<L>({ ...options, registers: [this.#registry] });
  }

  histogram<L extends string = string>(options: Omit<HistogramConfiguration<L>, 'registers'>): Histogram<L> {
    return this.#existing<Histogram<L>>(options.name) ?? new Histogram<L>({ ...options, registers: [this.#registry] });
  }

  /** Counts one answered request in `haven_http_request_duration_seconds`. */
  observeHttp({ method, route, status, seconds }: HttpObservation): void {
    this.#http ??= this.histogram({
      name: 'haven_http_request_duration_seconds',
      help: 'How long requests took, in seconds',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    });
    this.#http.observe({ method: METHODS.has(method) ? method : 'other', route, status: String(status) }, seconds);
  }

  /** Everything measured, as Prometheus scrapes it. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #existing<M>(name: string): M | undefined {
    return this.#registry.getSingleMetric(name) as M | undefined;
  }
}
