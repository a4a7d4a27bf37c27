import { outboundRules } from '@haven/outbound';
import { addressRanges, listenAddress, readSettingsOrExit, runtimeSettings, url, wholeNumber } from '@haven/runtime';
import { z } from 'zod';

/** Everything that core can be told from outside; each also as NAME_FILE, naming a file that holds the value. */
export const coreSettings = z.object({
  ...runtimeSettings(9082),
  HAVEN_LISTEN: listenAddress().default({ host: '127.0.0.1', port: 8082 }),
  HAVEN_EXTERNAL_URL: url('http', 'https').optional(),
  HAVEN_TRUSTED_PROXIES: addressRanges().prefault('127.0.0.0/8,::1'),
  HAVEN_DATABASE_URL: url('postgres', 'postgresql'),
  HAVEN_DATABASE_POOL: wholeNumber(1, 500).default(10),
  HAVEN_STORAGE: z.string().max(2048).describe('file:///absolute/folder or s3://bucket/prefix?endpoint=…&region=…'),
  HAVEN_S3_ACCESS_KEY: z.string().optional(),
  HAVEN_S3_SECRET_KEY: z.string().optional(),
  HAVEN_SECRET_KEY: z.string().regex(/^[0-9a-f]{64}$/i, 'not 64 hexadecimal digits').describe('32 random bytes in hexadecimal, usually in the file that HAVEN_SECRET_KEY_FILE names'),
  HAVEN_ADMIN_PASSWORD: z.string().max(128).optional(),
  HAVEN_ADMIN_PASSWORD_OUT: z.string().max(4096).describe('the file for a generated administrator password').optional(),
  HAVEN_OUTBOUND_ALLOW: outboundRules().prefault(''),
  HAVEN_CA: certificates().describe('certificates of the authority that signed the server certificate, in PEM form; usually in the file that HAVEN_CA_FILE names').optional(),
});

/** Certificates that everybody may have: the file must not hold the key as well. */
function certificates() {
  return z.string().max(1024 * 1024).trim()
    .refine((text) => text.startsWith('-----BEGIN CERTIFICATE-----'), 'not certificates in PEM form')
    .refine((text) => !text.includes('PRIVATE KEY'), 'holds a private key, which must not be given out');
}

export type CoreSettings = z.infer<typeof coreSettings>;

/** The settings of this process; says what is wrong and exits when they do not do. */
export function settingsFromEnvironment(): CoreSettings {
  return readSettingsOrExit('core', coreSettings, process.env);
}
