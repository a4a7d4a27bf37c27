import { expect, test } from '@jest/globals';
import { parseAddressRanges } from '@haven/runtime';
import { clientAddress } from './request-origin.js';

const trusted = parseAddressRanges('10.0.0.0/8,127.0.0.1,fd00::/8');

// Nobody but our own proxies says where a request came from.
test.each([
  ['192.0.2.1', '', '192.0.2.1'],
  ['192.0.2.1', '127.0.0.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '198.51.100.7', '192.0.2.1'],
  ['10.0.0.1', '198.51.100.7', '198.51.100.7'],
  ['::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
  ['10.0.0.1', '1.1.1.1, 198.51.100.7, 10.0.0.2', '198.51.100.7'],
  ['10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
  ['fd00::1', '2001:db8::7', '2001:db8::7'],
  ['10.0.0.1', 'admin', '10.0.0.1'],
  ['10.0.0.1', '198.51.100.7, \nforged', '10.0.0.1'],
  ['10.0.0.1', 'forged, 10.0.0.2', '10.0.0.2'],
  ['10.0.0.1', `${'1.1.1.1,'.repeat(200)}1.1.1.1`, '10.0.0.1'],
  ['10.0.0.1', '', '10.0.0.1'],
  ['', '198.51.100.7', ''],
])('A-10: the client of peer "%s" saying "%s" is %s', (peer, forwardedFor, client) => {
  expect(clientAddress(peer, forwardedFor, trusted)).toBe(client);
});
