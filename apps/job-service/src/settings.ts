import { readSettingsOrExit, runtimeSettings, url, wholeNumber } from '@haven/runtime';
import { outboundRules } from '@haven/outbound';
import { z } from 'zod';

/** Every setting of the job service. */
export const settingsSchema = z.object({
  ...runtimeSettings(9083),
  HAVEN_DATABASE_URL: url('postgres', 'postgresql').describe('the PostgreSQL database of the platform'),
  HAVEN_DATABASE_POOL: wholeNumber(1, 500).default(10).describe('database connections kept at most'),
  HAVEN_STORAGE: url('file', 's3').describe('where blobs are kept: file:///path or s3://bucket/prefix?endpoint=…&region=…'),
  HAVEN_S3_ACCESS_KEY: z.string().optional().describe('access key of the S3 bucket'),
  HAVEN_S3_SECRET_KEY: z.string().optional().describe('secret key of the S3 bucket'),
  HAVEN_EXTERNAL_URL: url('http', 'https').optional().describe('how clients reach the platform; what webhooks tell about artifacts begins with its host'),
  HAVEN_OUTBOUND_ALLOW: outboundRules().prefault(''),
  HAVEN_SECRET_KEY: z.string().regex(/^[0-9a-f]{64}$/i, 'not 64 hexadecimal digits').optional().describe('what core seals stored secrets under; needed for webhooks and registries with secrets'),
  HAVEN_JOB_LOG_DAYS: wholeNumber(1, 3650).default(30).describe('the log of a job is removed so many days after the job ended'),
  HAVEN_UPLOAD_TTL_SECONDS: wholeNumber(60, 365 * 24 * 60 * 60).default(24 * 60 * 60).describe('an upload that nobody continues for so many seconds is removed'),
});

export type Settings = z.infer<typeof settingsSchema>;

export function loadSettings(): Settings {
  return readSettingsOrExit('job-service', settingsSchema, process.env);
}
