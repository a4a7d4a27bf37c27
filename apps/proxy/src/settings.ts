import { addressRanges, parseAddressRanges, readSettingsOrExit, runtimeSettings, url, urlList, wholeNumber } from '@haven/runtime';
import { z } from 'zod';

const port = wholeNumber(0, 65535);

/** Every setting of the proxy. */
export const proxySettings = z.object({
  ...runtimeSettings(9080),
  HAVEN_LISTEN_HOST: z.string().min(1).max(255).default('0.0.0.0').describe('the address on which clients are served; 0.0.0.0 for every IPv4 address, :: for every address'),
  HAVEN_HTTP_PORT: port.default(8080).describe('the port for HTTP; once TLS is on, it only points clients to HTTPS'),
  HAVEN_HTTPS_PORT: port.optional().describe('the port for HTTPS; TLS is on when this, HAVEN_TLS_CERT and HAVEN_TLS_KEY are set'),
  HAVEN_HTTPS_PUBLIC_PORT: port.optional().describe('the port under which clients reach HTTPS, when it is not HAVEN_HTTPS_PORT itself (containers, load balancers)'),
  HAVEN_TLS_CERT: z.string().min(1).max(4096).optional().describe('a PEM file with the certificate followed by those of its issuers; replacing the file takes effect at once'),
  HAVEN_TLS_KEY: z.string().min(1).max(4096).optional().describe('a PEM file with the private key of the certificate, without a passphrase'),
  HAVEN_REGISTRY_URLS: urlList('http', 'https').default(['http://127.0.0.1:8081']).describe('a comma-separated list with the URL of each registry replica'),
  HAVEN_CORE_URLS: urlList('http', 'https').default(['http://127.0.0.1:8082']).describe('a comma-separated list with the URL of each core replica'),
  HAVEN_TRUSTED_PROXIES: addressRanges().default(parseAddressRanges('')).describe('addresses and CIDR ranges of the load balancers in front, whose X-Forwarded-* and Forwarded headers are believed; nobody by default'),
  HAVEN_STORAGE: url('file', 's3').optional().describe('where the blobs are; with a file:// URL the proxy sends blob files itself, which is faster. It must be the folder that the registry uses'),
  HAVEN_ACCESS_LOG: z.enum(['all', 'changes', 'errors', 'off']).default('changes').describe('which requests are logged: all; changes (whatever is not GET or HEAD, failures, and requests above 10 s); errors (status 500 and above, and answers that broke off); off'),
  HAVEN_MAX_CONNECTIONS: wholeNumber(1, 1_000_000).default(10_000).describe('most client connections at once; further ones are closed as they come'),
  HAVEN_UPSTREAM_CONNECTIONS: wholeNumber(1, 100_000).default(1024).describe('most requests under way at once at each replica of registry or core; further ones are answered with 503'),
  HAVEN_HEADERS_SECONDS: wholeNumber(1, 60).default(30).describe('how long a client may take to send the headers of a request'),
  HAVEN_BODY_SECONDS: wholeNumber(1, 3600).default(60).describe('how long a client may take to send the body of a request; blob uploads are limited by HAVEN_IDLE_SECONDS instead'),
  HAVEN_IDLE_SECONDS: wholeNumber(1, 3600).default(120).describe('how long nothing may move while a blob is uploaded, or while an answer is sent'),
  HAVEN_UPSTREAM_SECONDS: wholeNumber(1, 3600).default(120).describe('how long registry or core may take to begin an answer; the end of an upload has eight times as long'),
}).superRefine((settings, context) => {
  const tls = ['HAVEN_HTTPS_PORT', 'HAVEN_TLS_CERT', 'HAVEN_TLS_KEY'] as const;
  const missing = tls.filter((name) => settings[name] === undefined);
  if (missing.length === tls.length) return;
  for (const name of missing) context.addIssue({ code: 'custom', path: [name], message: `TLS needs all of ${tls.join(', ')}` });
});

export type ProxySettings = z.infer<typeof proxySettings>;

/** The proxy's settings from the environment; ends the process when they are wrong. */
export function readProxySettings(): ProxySettings {
  return readSettingsOrExit('proxy', proxySettings, process.env);
}
