import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { isTrustedPeer, parseAddressRanges } from './address-ranges.js';
import { listenOn } from './listen-on.js';
import { requestIdFrom } from './request-id.js';

describe('address ranges', () => {
  const ranges = parseAddressRanges(' 127.0.0.0/8, ::1,192.168.1.7 ,fd00::/8 ,::ffff:1.2.3.4');

  test.each(['127.0.0.1', '::ffff:127.0.0.1', '::1', '192.168.1.7', 'fd12::1', 'fd12::1%eth0', '1.2.3.4'])('include %s', (address) => {
    expect(isTrustedPeer(ranges, address)).toBe(true);
  });

  test.each(['128.0.0.1', '192.168.1.8', 'fe80::1', '', 'localhost', '127.0.0.1, 1.1.1.1', undefined])('do not include %s', (address) => {
    expect(isTrustedPeer(ranges, address)).toBe(false);
  });

  test('of nothing include nobody', () => {
    expect(parseAddressRanges('').includes('127.0.0.1')).toBe(false);
  });

  test.each(['10.0.0.0/', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', 'proxy', '10.0.0.0/-1', '10.0.0.0/1e1'])('are not made from %s', (text) => {
    expect(() => parseAddressRanges(text)).toThrow(`"${text}"`);
  });
});

describe('requestIdFrom', () => {
  test('keeps a harmless id', () => {
    expect(requestIdFrom('abc-1.2_X')).toBe('abc-1.2_X');
  });

  test.each([undefined, '', 'a b', 'a\nb', 'ä', 'x'.repeat(129), ['a', 'b']])('replaces %j', (header) => {
    expect(requestIdFrom(header)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('listenOn', () => {
  test('answers the address, and names the port and the setting when it is taken', async () => {
    const [first, second] = [createServer(), createServer()];
    const { port } = await listenOn(first, { host: '127.0.0.1', port: 0 }, 'HAVEN_LISTEN');
    await expect(listenOn(second, { host: '127.0.0.1', port }, 'HAVEN_LISTEN')).rejects.toThrow(`port ${port} on 127.0.0.1 is already in use; stop what uses it or set HAVEN_LISTEN to another port`);
    await new Promise((resolve) => first.close(resolve));
    await expect(listenOn(second, { host: '127.0.0.1', port }, 'HAVEN_LISTEN')).resolves.toMatchObject({ port });
    await new Promise((resolve) => second.close(resolve));
  });

  test('says which address this machine does not have', async () => {
    await expect(listenOn(createServer(), { host: '192.0.2.1', port: 0 }, 'HAVEN_LISTEN')).rejects.toThrow('this machine has no address 192.0.2.1');
  });
});
