import { parseAddressRanges, type AddressRanges } from '@haven/runtime';
import { z } from 'zod';
import { isPublicAddress, unmapped } from './outbound-address.js';

const HOST = /^(?:\*\.)?(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/;

/** Which addresses this platform sends to: public ones, and those that an administrator of the machine names. */
export class OutboundRules {
  readonly text: string;
  readonly #ranges: AddressRanges;
  readonly #hosts: readonly string[];

  constructor(text: string, ranges: AddressRanges, hosts: readonly string[]) {
    this.text = text;
    this.#ranges = ranges;
    this.#hosts = hosts;
  }

  /** @param host as the URL names it; an allowed host may have any address. */
  allows(host: string, address: string): boolean {
    if (isPublicAddress(address) || this.#ranges.includes(unmapped(address))) return true;
    const name = host.toLowerCase().replace(/\.$/, '');
    return this.#hosts.some((allowed) => (allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed));
  }

  toJSON(): string {
    return this.text;
  }
}

/**
 * Reads a comma-separated list of addresses, CIDR ranges, host names and `*.domain` names.
 *
 * @throws Error naming the first entry that is none of them.
 */
export function parseOutboundRules(text: string): OutboundRules {
  const entries = text.split(',').map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== '');
  const isHost = (entry: string): boolean => HOST.test(entry) && !/^[\d.]+$/.test(entry);
  const hosts = entries.filter(isHost);
  return new OutboundRules(text, parseAddressRanges(entries.filter((entry) => !isHost(entry)).join()), hosts);
}

/** The setting HAVEN_OUTBOUND_ALLOW. */
export function outboundRules(): z.ZodType<OutboundRules, string> {
  return z.string().max(16_384).transform((text, context) => {
    try {
      return parseOutboundRules(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? `${error.message}, nor a host name` : String(error) });
      return z.NEVER;
    }
  }).describe('a comma-separated list of addresses, CIDR ranges, hosts and *.domains, for instance 10.2.0.0/16,chat.corp.example') as unknown as z.ZodType<OutboundRules, string>;
}
