import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { selfSigned } from './self-signed.js';

describe('a certificate for tests', () => {
  test.each([['registry.test', 'checkHost'], ['127.0.0.1', 'checkIP']] as const)('is for %s, and belongs to its key', (name, check) => {
    const { cert, key } = selfSigned(name);
    const certificate = new X509Certificate(cert);
    expect([certificate[check](name), certificate[check]('127.0.0.2'), certificate.checkPrivateKey(createPrivateKey(key))]).toEqual([name, undefined, true]);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect([certificate.validFromDate <= new Date(), certificate.validToDate > new Date()]).toEqual([true, true]);
  });

  test('may have expired', () => {
    expect(new X509Certificate(selfSigned('registry.test', { expired: true }).cert).validToDate.getTime()).toBeLessThan(Date.now());
  });
});
