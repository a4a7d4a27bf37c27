import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { outboundRules, parseOutboundRules } from './outbound-rules.js';

test('without exceptions only public addresses are sent to', () => {
  const rules = parseOutboundRules('');
  expect(rules.allows('a.example', '8.8.8.8')).toBe(true);
  expect(rules.allows('a.example', '10.0.0.1')).toBe(false);
});

describe('an administrator allows', () => {
  const rules = parseOutboundRules(' 10.2.0.0/16 , fd00:1::/32,192.168.0.9,Chat.corp.example,*.lab.example');

  test.each([
    ['ranges', 'x', '10.2.3.4', true], ['ranges in IPv6 form', 'x', '::ffff:10.2.3.4', true], ['not their neighbours', 'x', '10.3.0.1', false],
    ['IPv6 ranges', 'x', 'fd00:1::5', true], ['addresses', 'x', '192.168.0.9', true], ['not others', 'x', '192.168.0.10', false],
    ['hosts', 'chat.corp.example', '10.9.9.9', true], ['hosts in any case, with a final dot', 'CHAT.corp.example.', '10.9.9.9', true],
    ['not what ends alike', 'evilchat.corp.example', '10.9.9.9', false], ['not below a host', 'a.chat.corp.example', '10.9.9.9', false],
    ['domains', 'a.b.lab.example', '127.0.0.1', true], ['not the domain itself', 'lab.example', '127.0.0.1', false], ['not what ends alike with a domain', 'evillab.example', '127.0.0.1', false],
  ])('%s', (_what, host, address, allowed) => { expect(rules.allows(host, address)).toBe(allowed); });
});

test.each(['10.0.0.0/33', 'http://a', '*', 'a b', '*.', '1.2.3', '10.0.0.0/8/8'])('%s is no exception, and is named', (text) => {
  const result = z.object({ HAVEN_OUTBOUND_ALLOW: outboundRules() }).safeParse({ HAVEN_OUTBOUND_ALLOW: `8.8.8.8,${text}` });
  expect(result.error?.issues[0]?.message).toContain(`"${text}"`);
});
