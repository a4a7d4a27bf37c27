import type { z } from 'zod';
import { maskCredentials, REDACTED } from '../log/redaction.js';

/** Whether a setting's value is secret. A path to a secret (`…_FILE`, `…_OUT`) is not. */
export function isSecretSetting(name: string): boolean {
  return /PASSWORD|SECRET|TOKEN|ACCESS_KEY|PRIVATE_KEY|CREDENTIAL/.test(name) && !/(?:_FILE|_OUT|_SECONDS|_DAYS|_BYTES)$/.test(name);
}

/** The settings of a schema as they may be printed: secrets and credentials in URLs are masked. */
export function redactedSettings<S extends z.ZodObject>(schema: S, values: z.infer<S>): Record<string, unknown> {
  const names = Object.keys(schema.shape);
  return Object.fromEntries(Object.entries(redactedValues(values)).filter(([name]) => names.includes(name)));
}

/** As redactedSettings, for whatever an object holds. */
export function redactedValues(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, printable(name, value)]));
}

function printable(name: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (isSecretSetting(name)) return REDACTED;
  if (typeof value === 'string') return maskCredentials(value);
  if (value instanceof URL) return maskCredentials(value.href);
  if (Array.isArray(value)) return value.map((item) => printable('', item));
  return value;
}
