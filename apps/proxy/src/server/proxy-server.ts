import type { AddressInfo } from 'node:net';
import type { Logger, Metrics } from '@haven/runtime';
import type { Timeouts } from '../limits/limits.js';
import { AccessLog } from '../observation/access-log.js';
import { Observer } from '../observation/observer.js';
import type { ProxySettings } from '../settings.js';
import { CertificateWatch } from '../tls/certificate-watch.js';
import { BlobFiles } from '../transfer/blob-files.js';
import { HealthChecks } from '../upstream/health-checks.js';
import { UpstreamGroup } from '../upstream/upstream-group.js';
import { Connections } from './connections.js';
import type { ProxyContext } from './context.js';
import { InFlight } from './in-flight.js';
import { Listener } from './listener.js';

export interface ProxyParts {
  readonly settings: ProxySettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Drains so much earlier than HAVEN_SHUTDOWN_SECONDS ends, so that the rest of the shutdown has time too, in milliseconds. */
const SHUTDOWN_MARGIN_MS = 3000;

/** The front door: its public ports, and everything behind them. */
export class ProxyServer {
  readonly #settings: ProxySettings;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #context: ProxyContext;
  readonly #observer: Observer;
  readonly #checks: HealthChecks;
  readonly #listeners: Listener[] = [];
  #watch: CertificateWatch | undefined;
  /** Where HTTP and HTTPS are served, once started. */
  httpAddress: AddressInfo | undefined;
  httpsAddress: AddressInfo | undefined;

  private constructor({ settings, logger, metrics }: ProxyParts, blobFiles: BlobFiles | undefined) {
    this.#settings = settings;
    this.#logger = logger;
    this.#metrics = metrics;
    const timeouts = timeoutsOf(settings);
    const limits = { connections: settings.HAVEN_UPSTREAM_CONNECTIONS, idleMs: timeouts.idleMs };
    const upstreams = {
      registry: new UpstreamGroup('registry', settings.HAVEN_REGISTRY_URLS, '/v2/', limits),
      core: new UpstreamGroup('core', settings.HAVEN_CORE_URLS, '/api/v2.0/ping', limits),
    };
    this.#observer = new Observer(metrics, new AccessLog(settings.HAVEN_ACCESS_LOG, logger));
    this.#context = { logger, upstreams, blobFiles, observer: this.#observer, timeouts, inFlight: new InFlight(), draining: false, redirectPort: undefined };
    this.#observer.watch(this.#context);
    this.#checks = new HealthChecks([upstreams.registry, upstreams.core], logger);
  }

  /** @throws Error when HAVEN_STORAGE names a folder that is not there. */
  static async create(parts: ProxyParts): Promise<ProxyServer> {
    return new ProxyServer(parts, await BlobFiles.at(parts.settings.HAVEN_STORAGE));
  }

  get context(): ProxyContext { return this.#context; }

  /**
   * Opens the public ports.
   *
   * @throws ListenError when a port cannot be had; Error when the certificate cannot be used.
   */
  async start(): Promise<void> {
    const { HAVEN_LISTEN_HOST: host, HAVEN_HTTP_PORT: port } = this.#settings;
    try {
      await this.#startTls(host);
      this.httpAddress = await this.#listener().listen(host, port, 'HAVEN_HTTP_PORT');
      await this.#checks.start();
    } catch (error) {
      await this.#end();
      throw error;
    }
    this.#logger.info('serving clients', { http: this.httpAddress.port, https: this.httpsAddress?.port, files: this.#context.blobFiles?.root });
  }

  /** Takes no more work, finishes what is under way within HAVEN_SHUTDOWN_SECONDS, and closes everything. */
  async stop(): Promise<void> {
    this.#context.draining = true;
    const limit = this.#settings.HAVEN_SHUTDOWN_SECONDS * 1000;
    const patience = Math.max(limit - SHUTDOWN_MARGIN_MS, limit / 2);
    const closed = this.#listeners.map((listener) => listener.close());
    const { inFlight } = this.#context;
    if (!(await inFlight.whenEmpty(patience))) this.#logger.warn('requests that were still under way are cut off', { requests: inFlight.size });
    for (const listener of this.#listeners) listener.closeAll();
    await Promise.all(closed);
    await this.#end();
  }

  async #startTls(host: string): Promise<void> {
    const { HAVEN_HTTPS_PORT: port, HAVEN_HTTPS_PUBLIC_PORT: publicPort, HAVEN_TLS_CERT: cert, HAVEN_TLS_KEY: key } = this.#settings;
    if (port === undefined || cert === undefined || key === undefined) return;
    const watch = new CertificateWatch({ cert, key }, this.#logger, (certificate) => { listener.useCertificate(certificate); });
    const listener = this.#listener(watch);
    this.httpsAddress = await listener.listen(host, port, 'HAVEN_HTTPS_PORT');
    this.#context.redirectPort = publicPort ?? this.httpsAddress.port;
    this.#watch = watch;
    watch.start();
    this.#metrics.gauge({
      name: 'haven_proxy_certificate_not_after_seconds', help: 'When the TLS certificate in use expires, as Unix time',
      collect() { this.set(watch.current.notAfter.getTime() / 1000); },
    });
  }

  #listener(watch?: CertificateWatch): Listener {
    const listener = new Listener(this.#context, new Connections(this.#settings.HAVEN_TRUSTED_PROXIES), {
      maxConnections: this.#settings.HAVEN_MAX_CONNECTIONS, onDrop: () => { this.#observer.dropped += 1; },
      ...(watch === undefined ? {} : { certificate: watch.current }),
    });
    this.#listeners.push(listener);
    return listener;
  }

  async #end(): Promise<void> {
    this.#checks.stop();
    this.#watch?.stop();
    for (const listener of this.#listeners) listener.closeAll();
    await Promise.all(Object.values(this.#context.upstreams).map((group) => group.destroy()));
  }
}

function timeoutsOf(settings: ProxySettings): Timeouts {
  return {
    headersMs: settings.HAVEN_HEADERS_SECONDS * 1000, bodyMs: settings.HAVEN_BODY_SECONDS * 1000,
    idleMs: settings.HAVEN_IDLE_SECONDS * 1000, answerMs: settings.HAVEN_UPSTREAM_SECONDS * 1000,
  };
}
