import { z } from 'zod';
import { addressRanges, listenAddress, readSettingsOrExit, runtimeSettings, url, wholeNumber } from '@haven/runtime';

/** Every setting of the registry. */
export const settings = z.object({
  ...runtimeSettings(9081),
  HAVEN_LISTEN: listenAddress().default({ host: '127.0.0.1', port: 8081 }).describe('host:port of the OCI Distribution API; the proxy forwards /v2/ to it'),
  HAVEN_DATABASE_URL: url('postgres', 'postgresql').describe('the PostgreSQL database of the platform'),
  HAVEN_DATABASE_POOL: wholeNumber(1, 500).default(10).describe('database connections kept at most'),
  HAVEN_STORAGE: url('file', 's3').describe('where blobs are kept: file:///path or s3://bucket/prefix?endpoint=…&region=…'),
  HAVEN_S3_ACCESS_KEY: z.string().optional().describe('access key of the S3 bucket'),
  HAVEN_S3_SECRET_KEY: z.string().optional().describe('secret key of the S3 bucket'),
  HAVEN_EXTERNAL_URL: url('http', 'https').optional().describe('how clients reach the platform; without it, the host they asked for'),
  HAVEN_TRUSTED_PROXIES: addressRanges().prefault('127.0.0.0/8,::1').describe('peers whose X-Forwarded-* headers are believed'),
});

export type RegistrySettings = z.infer<typeof settings>;

export function readRegistrySettings(): RegistrySettings {
  return readSettingsOrExit('registry', settings, process.env);
}
