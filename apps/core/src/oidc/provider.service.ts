import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Problem, type Configuration } from '@haven/api';
import type { GuardedClient } from '@haven/outbound';
import { Logger } from '@haven/runtime';
import type * as openid from 'openid-client';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { clientForHosts } from '../outbound/client-for-hosts.js';
import { CoreOptions } from '../platform/core-options.js';
import { connectionKey, oidcSettingsOf, type OidcSettings } from './oidc-settings.js';
import { connectToProvider, endpointUrl } from './provider-connection.js';
import { providerFetch } from './provider-fetch.js';

/** What the provider says of itself is asked again after this; its keys are looked up more often (openid-client). */
const KEEP_MS = 60 * 60 * 1000;
/** While the provider cannot be reached, it is asked at most this often. */
const RETRY_MS = 5_000;

/** The provider as it is now, and how it is spoken to. */
export interface Provider {
  readonly settings: OidcSettings;
  readonly connection: openid.Configuration;
}

interface Kept {
  readonly key: string;
  readonly until: number;
  readonly client: GuardedClient;
  readonly connection: Promise<openid.Configuration>;
}

/** The OpenID provider that the settings name. */
@Injectable()
export class ProviderService implements OnModuleDestroy {
  #kept: Kept | undefined;

  constructor(
    private readonly configuration: ConfigurationService,
    private readonly options: CoreOptions,
    private readonly logger: Logger,
  ) {}

  onModuleDestroy(): void {
    this.#kept?.client.close();
  }

  /** @throws Problem PRECONDITION unless people log in through OpenID Connect here */
  async requireMode(): Promise<Configuration> {
    const configuration = await this.configuration.current();
    const { auth_mode: mode } = configuration;
    if (mode !== 'oidc_auth') throw new Problem('PRECONDITION', `people do not log in through OpenID Connect here: auth_mode is ${mode}`);
    return configuration;
  }

  /**
   * The provider, asked what it is at most once an hour.
   *
   * @throws Problem PRECONDITION where it is not set up
   * @throws ProviderError when it cannot be reached or understood
   */
  async provider(): Promise<Provider> {
    const settings = oidcSettingsOf(await this.requireMode(), await this.configuration.secret('oidc_client_secret'));
    return { settings, connection: await this.#connection(settings) };
  }

  /** Tries a provider that is not set up yet. Throws as `provider` does. */
  async probe(endpoint: string, verifyCertificate: boolean): Promise<void> {
    const settings: OidcSettings = { endpoint, clientId: 'probe', clientSecret: '', verifyCertificate, scopes: [], extraParameters: {} };
    const client = this.#client(settings);
    try {
      await connectToProvider(settings, providerFetch({ client, verifyCertificate }));
    } finally {
      client.close();
    }
  }

  #connection(settings: OidcSettings): Promise<openid.Configuration> {
    const key = connectionKey(settings);
    if (this.#kept?.key === key && this.#kept.until > performance.now()) return this.#kept.connection;
    this.#kept?.client.close();
    const client = this.#client(settings);
    const connection = connectToProvider(settings, providerFetch({ client, verifyCertificate: settings.verifyCertificate }));
    this.#kept = { key, until: performance.now() + KEEP_MS, client, connection };
    connection.catch(() => this.#retrySoon(connection));
    return connection;
  }

  #retrySoon(connection: Promise<openid.Configuration>): void {
    if (this.#kept?.connection === connection) this.#kept = { ...this.#kept, until: performance.now() + RETRY_MS };
  }

  #client({ endpoint, verifyCertificate }: OidcSettings): GuardedClient {
    const url = endpointUrl(endpoint);
    if (url.protocol === 'http:') this.logger.warn('the OpenID provider is spoken to without TLS: whoever is in between can log in as anybody', { host: url.host });
    else if (!verifyCertificate) this.logger.warn("the OpenID provider's certificate is not checked (oidc_verify_cert is off): whoever is in between can log in as anybody", { host: url.host });
    return clientForHosts([url], this.options.outboundRules);
  }
}

