import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Configuration } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { clientForHosts } from '../../outbound/client-for-hosts.js';
import { CoreOptions } from '../../platform/core-options.js';
import { AuthProxyFault } from './auth-proxy-fault.js';
import { authProxyFaults, authProxySettings, type AuthProxyConfiguration } from './auth-proxy-settings.js';
import { AuthProxy } from './auth-proxy.js';

interface Current {
  readonly configuration: Configuration;
  readonly proxy: AuthProxy;
}

/** The authenticating proxy of the settings as they are now. */
@Injectable()
export class AuthProxyService implements OnApplicationShutdown {
  #current: Current | undefined;

  constructor(
    private readonly configuration: ConfigurationService,
    private readonly options: CoreOptions,
    private readonly logger: Logger,
  ) {}

  onApplicationShutdown(): void {
    this.#current?.proxy.close();
  }

  /** @throws AuthProxyFault when the settings are not complete */
  async current(): Promise<AuthProxy> {
    const configuration = await this.configuration.current();
    const before = this.#current;
    if (before?.configuration === configuration) return before.proxy;
    const [fault] = authProxyFaults(configuration);
    if (fault !== undefined) throw new AuthProxyFault(fault);
    const same = before !== undefined && before.proxy.settings.fingerprint === authProxySettings(configuration).fingerprint;
    this.#current = { configuration, proxy: same ? before.proxy : this.connect(configuration) };
    if (!same) before?.proxy.close();
    return this.#current.proxy;
  }

  /** A proxy with other settings, without fault, to try; whoever asks for it closes it. */
  connect(configuration: AuthProxyConfiguration): AuthProxy {
    const settings = authProxySettings(configuration);
    const { endpoint, reviewEndpoint, verifyCertificate } = settings;
    if (!verifyCertificate) this.logger.warn('the authenticating proxy is not checked (http_authproxy_verify_cert is off): whoever is in between learns passwords and can log in as anybody', { hosts: [endpoint.host, reviewEndpoint.host] });
    return new AuthProxy(settings, clientForHosts([endpoint, reviewEndpoint], this.options.outboundRules));
  }
}
