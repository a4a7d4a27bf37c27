import { describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { selfSigned } from '@haven/runtime';
import { authProxyFaults, authProxySettings, type AuthProxyConfiguration } from './auth-proxy-settings.js';

const GOOD: AuthProxyConfiguration = { ...configurationOf(new Map()), http_authproxy_endpoint: 'https://proxy.test/login', http_authproxy_tokenreview_endpoint: 'https://proxy.test/review' };

describe('the settings of an authenticating proxy', () => {
  test('are complete with two addresses', () => {
    expect(authProxyFaults(GOOD)).toEqual([]);
    expect(authProxyFaults(configurationOf(new Map()))).toEqual(['http_authproxy_endpoint is not set', 'http_authproxy_tokenreview_endpoint is not set']);
  });

  test.each<[string, Partial<AuthProxyConfiguration>, RegExp]>([
    ['no address', { http_authproxy_endpoint: 'proxy' }, /^http_authproxy_endpoint: it is not an address/],
    ['a file', { http_authproxy_tokenreview_endpoint: 'file:///etc/passwd' }, /^http_authproxy_tokenreview_endpoint: /],
    ['a password in it', { http_authproxy_endpoint: 'https://a:b@proxy.test/' }, /user name or password/],
    ['no protection', { http_authproxy_endpoint: 'http://proxy.test/login' }, /^http_authproxy_endpoint would carry passwords and tokens in clear/],
    ['no protection for tokens', { http_authproxy_tokenreview_endpoint: 'http://proxy.test/review' }, /^http_authproxy_tokenreview_endpoint would carry/],
    ['text for a certificate', { http_authproxy_server_certificate: 'certificate' }, /must be certificates in PEM form/],
    ['a broken certificate', { http_authproxy_server_certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }, /PEM form/],
    ['a certificate that breaks off', { http_authproxy_server_certificate: selfSigned('proxy.test').cert.slice(0, -40) }, /PEM form/],
    ['a key beside the certificate', { http_authproxy_server_certificate: `${selfSigned('proxy.test').cert}${selfSigned('proxy.test').key}` }, /without a key/],
  ])('are wrong with %s', (_name, wrong, reason) => {
    expect(authProxyFaults({ ...GOOD, ...wrong })).toEqual([expect.stringMatching(reason)]);
    expect(() => authProxySettings({ ...GOOD, ...wrong })).toThrow(TypeError);
  });

  test('need two clear words for an address without protection', () => {
    expect(authProxyFaults({ ...GOOD, http_authproxy_endpoint: 'http://proxy.test/login', http_authproxy_verify_cert: false })).toEqual([]);
  });

  test('take several certificates with words between them', () => {
    const text = `# the first\n${selfSigned('a.test').cert}# the second\n${selfSigned('b.test').cert}`;
    expect(authProxyFaults({ ...GOOD, http_authproxy_server_certificate: text })).toEqual([]);
  });

  test('differ in their fingerprint when anything that matters differs', () => {
    const fingerprint = (more: Partial<AuthProxyConfiguration>): string => authProxySettings({ ...GOOD, ...more }).fingerprint;
    expect(fingerprint({})).toBe(fingerprint({}));
    for (const more of [{ http_authproxy_admin_groups: 'ops' }, { http_authproxy_verify_cert: false }, { http_authproxy_endpoint: 'https://other.test/login' }]) expect(fingerprint(more)).not.toBe(fingerprint({}));
  });
});
