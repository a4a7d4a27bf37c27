import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Problem, type AuthProxyPingReq } from '@haven/api';
import { Logger } from '@haven/runtime';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { AuthProxyFault } from './auth-proxy-fault.js';
import { authProxyFaults, type AuthProxyConfiguration } from './auth-proxy-settings.js';
import { AuthProxyService } from './auth-proxy.service.js';
import type { AuthProxy } from './auth-proxy.js';

/** Tries an authenticating proxy before people depend on it. */
@Injectable()
export class AuthProxyPingService {
  constructor(
    private readonly proxies: AuthProxyService,
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  /**
   * Asks both addresses about somebody who does not exist: what works says no.
   *
   * @throws Problem BAD_REQUEST saying what is wrong
   */
  async ping(given: AuthProxyPingReq): Promise<void> {
    const wanted = { ...(await this.configuration.current()), ...named(given) };
    const faults = authProxyFaults(wanted);
    if (faults.length > 0) throw new Problem('BAD_REQUEST', faults.join('; '));
    const proxy = this.proxies.connect(wanted);
    try {
      await requireRefusal(proxy);
    } catch (cause) {
      if (!(cause instanceof AuthProxyFault)) throw cause;
      this.logger.warn('the authenticating proxy was tried and does not work', { reason: cause.message });
      throw new Problem('BAD_REQUEST', `this proxy cannot be used: ${cause.message}`, { cause });
    } finally {
      proxy.close();
    }
  }
}

async function requireRefusal(proxy: AuthProxy): Promise<void> {
  const nobody = `haven-probe-${randomBytes(12).toString('hex')}`;
  if ((await proxy.logIn(nobody, randomBytes(24).toString('base64url'))) !== undefined) throw new AuthProxyFault('http_authproxy_endpoint lets in a name and a password that nobody has');
  if ((await proxy.review(randomBytes(24).toString('base64url'))) !== undefined) throw new AuthProxyFault('http_authproxy_tokenreview_endpoint takes a token that nobody gave');
}

function named({ endpoint, tokenreview_endpoint: review, verify_cert: verify, server_certificate: certificate }: AuthProxyPingReq): Partial<AuthProxyConfiguration> {
  return {
    ...(endpoint === undefined ? {} : { http_authproxy_endpoint: endpoint }), ...(review === undefined ? {} : { http_authproxy_tokenreview_endpoint: review }),
    ...(verify === undefined ? {} : { http_authproxy_verify_cert: verify }), ...(certificate === undefined ? {} : { http_authproxy_server_certificate: certificate }),
  };
}
