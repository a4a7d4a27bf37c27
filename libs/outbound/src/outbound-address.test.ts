import { describe, expect, test } from '@jest/globals';
import { isPublicAddress, unmapped } from './outbound-address.js';

describe('addresses that are not out there (cases H: loopback, private, metadata, in every spelling)', () => {
  test.each([
    '127.0.0.1', '127.255.255.254', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.100.100.200',
    '169.254.169.254', '169.254.170.2', '192.0.0.192', '168.63.129.16', '192.0.2.1', '198.18.0.1', '198.51.100.7', '203.0.113.9', '192.88.99.1',
    '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255',
    '::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:a00:1', '::ffff:169.254.169.254', '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001:db8::1', '2001:10::1',
    'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '100::1', '3fff::1', '5f00::1', '4000::1',
    '', 'localhost', '127.1', '1.2.3', '0x7f000001', '[::1]',
  ])('%s', (address) => { expect(isPublicAddress(address)).toBe(false); });
});

describe('public addresses', () => {
  test.each(['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.1', '100.63.255.255', '100.128.0.1', '223.255.255.255', '::ffff:8.8.8.8', '2606:4700:4700::1111', '2a00:1450::1', '2003::1'])(
    '%s', (address) => { expect(isPublicAddress(address)).toBe(true); });
});

test('an IPv4 address in IPv6 form is the IPv4 address', () => {
  expect(['::ffff:10.1.2.3', '::FFFF:0a01:0203', '10.1.2.3', '0:0::1'].map(unmapped)).toEqual(['10.1.2.3', '10.1.2.3', '10.1.2.3', '::1']);
});
