import { z } from 'zod';
import { parseAddressRanges, type AddressRanges } from '../http/address-ranges.js';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A whole number within bounds; say the unit in the setting's name. */
export function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  return z.string().regex(/^-?\d{1,15}$/, 'not a whole number').transform(Number)
    .pipe(z.number().min(least).max(most)).describe(`a whole number from ${least} to ${most}`) as unknown as z.ZodType<number, string>;
}

/** `true` or `false`; also 1 or 0, yes or no. */
export function flag(): z.ZodType<boolean, string> {
  return z.enum(['true', 'false', '1', '0', 'yes', 'no']).transform((text) => text === 'true' || text === '1' || text === 'yes').describe('true or false') as unknown as z.ZodType<boolean, string>;
}

/** `host:port`, `[::1]:port` or `:port` (every address). Port 0 asks the system for a free one. */
export function listenAddress(): z.ZodType<ListenAddress, string> {
  return z.string().transform((text, context) => {
    const parsed = parseListenAddress(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: 'not host:port' });
    return z.NEVER;
  }).describe('host:port, for instance 127.0.0.1:8080 or [::]:8080') as unknown as z.ZodType<ListenAddress, string>;
}

/** An absolute URL with one of these schemes, without a trailing slash; kept as text. */
export function url(...schemes: string[]): z.ZodType<string, string> {
  return z.string().transform((text, context) => {
    if (isUrl(text, schemes)) return text.replace(/\/+$/, '');
    context.addIssue({ code: 'custom', message: 'not such a URL' });
    return z.NEVER;
  }).describe(`a URL starting with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`) as unknown as z.ZodType<string, string>;
}

/** Comma-separated URLs, at least one. */
export function urlList(...schemes: string[]): z.ZodType<string[], string> {
  return z.string().transform((text, context) => {
    const list = text.split(',').map((item) => item.trim()).filter((item) => item !== '');
    if (list.length > 0 && list.every((item) => isUrl(item, schemes))) return list.map((item) => item.replace(/\/+$/, ''));
    context.addIssue({ code: 'custom', message: 'not a list of such URLs' });
    return z.NEVER;
  }).describe(`a comma-separated list of URLs starting with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`) as unknown as z.ZodType<string[], string>;
}

/** Comma-separated addresses and CIDR ranges, for instance of the proxies whose forwarding headers are believed. */
export function addressRanges(): z.ZodType<AddressRanges, string> {
  return z.string().transform((text, context) => {
    try {
      return parseAddressRanges(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  }).describe('a comma-separated list of addresses and CIDR ranges, for instance 10.0.0.0/8,::1') as unknown as z.ZodType<AddressRanges, string>;
}

function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{0,253})):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? NaN);
  if (match === null || !(port <= 65535)) return undefined;
  return { host: match[1] ?? (match[2] || '::'), port };
}

function isUrl(text: string, schemes: readonly string[]): boolean {
  if (text.length > 2048 || /\s/.test(text) || !URL.canParse(text)) return false;
  return schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}://`));
}
