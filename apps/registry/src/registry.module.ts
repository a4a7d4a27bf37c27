import { Inject, Injectable, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { createDatabase, type Database } from '@haven/database';
import { connectRedis, type Messages } from '@haven/messages';
import { Health, Metrics, retryWithJitter, RootLogger } from '@haven/runtime';
import { openStorage, type BlobStorage } from '@haven/storage';
import { Registry } from './registry.js';
import type { RegistrySettings } from './settings.js';

const SETTINGS = Symbol('RegistrySettings');
const PREPARE = { attempts: Infinity, baseMs: 100, maxMs: 2_000 };

/** Opens what the registry stands on when the service starts, and closes it, in reverse, when it stops. */
@Injectable()
class RegistryLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #database: Database;
  readonly #storage: BlobStorage;
  readonly #messages: Messages;
  readonly #stopping = new AbortController();
  readonly #registry: Registry;
  #starting: Promise<void> | undefined;
  #listening = false;

  constructor(@Inject(SETTINGS) settings: RegistrySettings, @Inject(RootLogger) logger: RootLogger, @Inject(Metrics) metrics: Metrics, @Inject(Health) health: Health) {
    this.#database = createDatabase({
      url: settings.HAVEN_DATABASE_URL,
      poolSize: settings.HAVEN_DATABASE_POOL,
      onPoolError: (error) => logger.warn('a database connection was lost', { error }),
    });
    this.#storage = openStorage(settings.HAVEN_STORAGE, { accessKey: settings.HAVEN_S3_ACCESS_KEY, secretKey: settings.HAVEN_S3_SECRET_KEY });
    this.#messages = connectRedis(settings.HAVEN_REDIS_URL, logger);
    logger.addSink(this.#messages.logShipper.sink);
    health.add('database', () => this.#database.ping());
    health.add('storage', () => this.#storage.health());
    health.add('redis', () => this.#messages.ping(), { critical: false });
    health.add('registry', () => this.#listens());
    this.#registry = new Registry({ settings, database: this.#database, storage: this.#storage, broadcasts: this.#messages.broadcasts, logger, metrics });
  }

  /** Does not wait: core migrates the schema, and until it has, this service is up but not ready. */
  onApplicationBootstrap(): void {
    this.#starting = this.#start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    await this.#registry.stop();
    await this.#messages.close();
    await this.#database.close();
  }

  async #start(): Promise<void> {
    try {
      await retryWithJitter(() => this.#prepare(), { ...PREPARE, signal: this.#stopping.signal });
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      throw error;
    }
    await this.#registry.listen();
    this.#listening = true;
  }

  async #prepare(): Promise<void> {
    if (!(await this.#database.schemaIsCurrent())) throw new Error('the database schema is older than this build; core brings it up to date when it starts');
    await this.#registry.prepare();
  }

  async #listens(): Promise<void> {
    if (!this.#listening) await this.#prepare();
    if (!this.#listening) throw new Error('the registry does not listen yet');
  }
}

@Module({})
export class RegistryModule {
  static with(settings: RegistrySettings): DynamicModule {
    return { module: RegistryModule, providers: [{ provide: SETTINGS, useValue: settings }, RegistryLifecycle] };
  }
}
