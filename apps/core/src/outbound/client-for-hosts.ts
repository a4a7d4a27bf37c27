import { GuardedClient, parseOutboundRules, type OutboundRules } from '@haven/outbound';

/**
 * A client that sends to public addresses, to those that the machine's administrator allows (HAVEN_OUTBOUND_ALLOW), and to
 * the hosts of these addresses, which the settings of the installation name and which are usually inside the company.
 */
export function clientForHosts(urls: readonly URL[], rules: OutboundRules): GuardedClient {
  const hosts = urls.map(({ hostname }) => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, ''));
  return new GuardedClient({ rules: parseOutboundRules([rules.text, ...hosts].filter((text) => text !== '').join()), userAgent: 'Haven' });
}
