import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import type { Configuration, GeneralInfo, OverallHealthStatus } from '@haven/api';
import { Health, type HealthReport } from '@haven/runtime';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { CoreOptions } from '../platform/core-options.js';

/** What the version field says: the Harbor API this server speaks, and its own version. */
const VERSION = 'v2.15.0-haven-0.1.0';

@Injectable()
export class SystemService {
  constructor(
    private readonly healthChecks: Health,
    private readonly options: CoreOptions,
    private readonly configuration: ConfigurationService,
  ) {}

  /** Only what was really looked at, and no error texts: those tell strangers about the network. */
  async health(): Promise<OverallHealthStatus> {
    const report = await this.healthChecks.report();
    const checked = Object.entries(report.checks).map(([name, { status }]) => componentOf(name, status === 'ok'));
    const components = [componentOf('core', true), ...checked].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { status: overallOf(report), components };
  }

  async info({ subject }: Caller): Promise<GeneralInfo> {
    const configuration = await this.configuration.current();
    const { auth_mode, primary_auth_mode, self_registration, banner_message, oidc_name } = configuration;
    const provider = auth_mode === 'oidc_auth' ? { oidc_provider_name: oidc_name } : {}; // the sign-in page names it
    const anybody: GeneralInfo = { auth_mode, primary_auth_mode, ...provider, ...proxyOf(configuration), self_registration, banner_message };
    if (subject.kind === 'anonymous') return anybody;
    const { externalUrl } = this.options;
    return {
      ...anybody,
      harbor_version: VERSION,
      ...(externalUrl === undefined ? {} : { external_url: externalUrl, registry_url: externalUrl.replace(/^https?:\/\//, '') }),
      has_ca_root: this.options.authorityCertificates !== undefined && externalUrl?.startsWith('https:') === true,
      project_creation_restriction: configuration.project_creation_restriction,
      read_only: configuration.read_only,
      registry_storage_provider_name: this.options.storageProvider,
      notification_enable: configuration.notification_enable,
      current_time: new Date().toISOString(),
    };
  }
}

/** Command line clients get their token from the proxy themselves. The second name is spelled as they know it. */
function proxyOf(configuration: Configuration): Pick<GeneralInfo, 'authproxy_settings'> {
  if (configuration.auth_mode !== 'http_auth') return {};
  const { http_authproxy_endpoint: endpoint, http_authproxy_tokenreview_endpoint: review, http_authproxy_skip_search: skip, http_authproxy_verify_cert: verify } = configuration;
  return { authproxy_settings: { endpoint, tokenreivew_endpoint: review, skip_search: skip, verify_cert: verify, server_certificate: configuration.http_authproxy_server_certificate } };
}

function componentOf(name: string, healthy: boolean): OverallHealthStatus['components'][number] {
  return healthy ? { name, status: 'healthy' } : { name, status: 'unhealthy', error: 'the check failed; see the log of core' };
}

function overallOf({ checks }: HealthReport): OverallHealthStatus['status'] {
  const failed = Object.values(checks).filter((check) => check.status === 'failed');
  if (failed.length === 0) return 'healthy';
  return failed.some((check) => check.critical) ? 'unhealthy' : 'degraded';
}
