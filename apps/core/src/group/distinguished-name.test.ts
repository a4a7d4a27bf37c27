import { describe, expect, test } from '@jest/globals';
import { dnKey, keyOfDn, parseDn } from './distinguished-name.js';

function key(text: string): string | undefined {
  const names = parseDn(text);
  return names && dnKey(names);
}

describe('a distinguished name', () => {
  test('is read into its parts', () => {
    expect(parseDn('CN=Ops\\, West+uid=7, ou=a=b,dc=x')).toEqual([
      [{ type: 'cn', value: 'Ops, West' }, { type: 'uid', value: '7' }], [{ type: 'ou', value: 'a=b' }], [{ type: 'dc', value: 'x' }],
    ]);
    expect(parseDn('cn=Lu\\C4\\8Di\\c4\\87')).toEqual([[{ type: 'cn', value: 'Lučić' }]]);
    expect(parseDn('cn=a\\ ,dc=x')).toEqual([[{ type: 'cn', value: 'a ' }], [{ type: 'dc', value: 'x' }]]);
    expect(parseDn('1.3.6.1=#04024869')).toEqual([[{ type: '1.3.6.1', value: '04024869', encoded: true }]]);
  });

  test.each(['', ' ', 'ops', '=ops', 'cn=', 'cn=a,', ',cn=a', 'cn=a,,dc=x', 'cn=a+', 'cn=a;dc=x', 'cn="a"', 'cn=a\\', 'cn=a\\g1', 'cn=<a>', 'cn=#0', 'cn=#xx', 'c n=a', 'cn=a\\ff', '1..2=a', '-a=b', 'cn=a\\00'])(
    '%j is none', (text) => {
      expect(parseDn(text)).toBeUndefined();
    });

  test('is the same however it is spelled', () => {
    for (const other of ['CN=OPS, DC=X', 'cn = ops , dc = x', '2.5.4.3=ops,0.9.2342.19200300.100.1.25=x', 'cn=\\6fps,dc=x', 'cn=ops,dc=\\78']) expect(key(other)).toBe(key('cn=ops,dc=x'));
    expect(key('cn=a+uid=b,dc=x')).toBe(key('uid=b+cn=a,dc=x'));
    expect(key('cn=a  b')).toBe(key('cn=a b'));
    expect(key('cn=\\#0402')).not.toBe(key('cn=#0402'));
  });

  test.each(['cn=ops\\2cdc=x,dc=evil', 'cn=ops\\2cdc=x', 'cn=ops,dc=x,dc=evil', 'dc=x,cn=ops', 'cn=ops+dc=x', 'uid=ops,dc=x', 'cn=ops', 'cn=op,dc=x'])('%s is not cn=ops,dc=x', (text) => {
    expect(key(text)).toBeDefined();
    expect(key(text)).not.toBe(key('cn=ops,dc=x'));
  });

  test('has the same key when it comes again, and when more come than are kept', () => {
    const texts = ['CN=OPS, DC=X', 'cn = ops , dc = x', 'cn=ops,dc=x', 'ops', '', `cn=${'x'.repeat(600)}`, 'cn=ops\\2cdc=x'];
    for (let round = 0; round < 2; round += 1) {
      for (const text of texts) expect(keyOfDn(text)).toBe(key(text));
      for (let other = 0; other < 10_050; other += 1) if (keyOfDn(`cn=a${other}`) !== `cn=a${other}`) throw new Error(`cn=a${other} has a wrong key`);
    }
  });

  test('of many parts and of odd ones takes no longer than its length', () => {
    const started = performance.now();
    expect(parseDn(Array.from({ length: 50_000 }, () => 'cn=a').join(','))).toHaveLength(50_000);
    expect(parseDn(`cn=${'\\'.repeat(100_000)}`)).toBeDefined();
    expect(parseDn(`cn=a${' '.repeat(100_000)}b`)).toBeDefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
