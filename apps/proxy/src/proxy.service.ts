import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { connectRedis, type Messages } from '@haven/messages';
import { Health, Metrics, RootLogger } from '@haven/runtime';
import { ProxyServer } from './server/proxy-server.js';
import type { ProxySettings } from './settings.js';

/** The injection token of the settings. */
export const PROXY_SETTINGS = Symbol('PROXY_SETTINGS');

/** Starts and stops the proxy with its service, and reports on what it depends on. */
@Injectable()
export class ProxyService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #settings: ProxySettings;
  readonly #logger: RootLogger;
  readonly #metrics: Metrics;
  readonly #health: Health;
  readonly #messages: Messages;
  #server: ProxyServer | undefined;

  constructor(@Inject(PROXY_SETTINGS) settings: ProxySettings, logger: RootLogger, metrics: Metrics, health: Health) {
    this.#settings = settings;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#health = health;
    // Only to hand log lines to the collector; without Redis they still go to standard output.
    this.#messages = connectRedis(settings.HAVEN_REDIS_URL, logger);
    logger.addSink(this.#messages.logShipper.sink);
  }

  /** The running server. */
  get server(): ProxyServer | undefined { return this.#server; }

  async onApplicationBootstrap(): Promise<void> {
    const server = await this.#start().catch(async (error: unknown) => {
      await this.#messages.close();
      throw error;
    });
    this.#server = server;
    const { registry, core } = server.context.upstreams;
    // One of the two being down leaves the other half of the product working, so only the loss of both makes the proxy not ready.
    this.#health.add('redis', () => this.#messages.ping(), { critical: false });
    this.#health.add('registry', () => registry.check(), { critical: false });
    this.#health.add('core', () => core.check(), { critical: false });
    this.#health.add('upstreams', async () => { await Promise.any([registry.check(), core.check()]); });
  }

  async #start(): Promise<ProxyServer> {
    const server = await ProxyServer.create({ settings: this.#settings, logger: this.#logger, metrics: this.#metrics });
    await server.start();
    return server;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#server?.stop();
    await this.#messages.close();
  }
}
