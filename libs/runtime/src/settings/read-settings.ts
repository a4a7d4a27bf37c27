import { closeSync, openSync, readSync } from 'node:fs';
import type { z } from 'zod';
import { isSecretSetting } from './redacted-settings.js';
import { maskCredentials, REDACTED } from '../log/redaction.js';

const MAX_FILE_BYTES = 64 * 1024;
const MAX_SHOWN = 200;

export interface SettingsFault {
  readonly name: string;
  /** What was given, or undefined when nothing was; secrets are masked. */
  readonly given: string | undefined;
  readonly expected: string;
}

/** Every setting that is missing or wrong, in one message that a person can act on. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly faults: readonly SettingsFault[];

  constructor(faults: readonly SettingsFault[]) {
    super([`${faults.length} setting${faults.length === 1 ? ' is' : 's are'} missing or wrong:`, ...faults.map(sentence)].join('\n'));
    this.faults = faults;
    this.stack = `SettingsError: ${this.message}`; // Where it was thrown helps nobody; what to change does.
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings a schema names from environment variables. `NAME_FILE` names a file that holds the value
 * of `NAME` (unless the schema itself has a setting called `NAME_FILE`). An empty variable counts as unset.
 *
 * @throws SettingsError listing every fault.
 */
export function readSettings<S extends z.ZodObject>(schema: S, env: Environment): z.infer<S> {
  const faults: SettingsFault[] = [];
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = rawValue(name, schema, env, faults);
    if (value !== undefined) given[name] = value;
  }
  const result = schema.safeParse(given);
  if (!result.success) {
    const known = new Set(faults.map((fault) => fault.name));
    for (const issue of result.error.issues) {
      const name = String(issue.path[0] ?? 'settings');
      if (known.has(name)) continue;
      faults.push({ name, given: shown(name, given[name]), expected: expectation(schema, name, issue.message) });
    }
  }
  if (faults.length > 0 || !result.success) throw new SettingsError(faults);
  return result.data;
}

/** As readSettings, but for a `settings.ts`: says what is wrong on standard error and ends the process with code 1. */
export function readSettingsOrExit<S extends z.ZodObject>(service: string, schema: S, env: Environment): z.infer<S> {
  try {
    return readSettings(schema, env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${service} cannot start: ${error.message}\n`);
    process.exit(1);
  }
}

function rawValue(name: string, schema: z.ZodObject, env: Environment, faults: SettingsFault[]): string | undefined {
  const direct = env[name] || undefined;
  const fileSetting = `${name}_FILE`;
  const file = fileSetting in schema.shape ? undefined : env[fileSetting] || undefined;
  if (file === undefined) return direct;
  if (direct !== undefined) {
    faults.push({ name, given: `both ${name} and ${fileSetting}`, expected: 'set only one of the two' });
    return undefined;
  }
  try {
    return readSmallFile(file).replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    faults.push({ name, given: `${fileSetting}=${file}`, expected: `a readable file of at most ${MAX_FILE_BYTES} bytes (${error instanceof Error ? error.message : String(error)})` });
    return undefined;
  }
}

/** Bounded even for files without a size, such as pipes and devices. */
function readSmallFile(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) return buffer.toString('utf8', 0, length);
      length += read;
    }
    throw new Error('the file is too big');
  } finally {
    closeSync(descriptor);
  }
}

function sentence(fault: SettingsFault): string {
  return `  ${fault.name}: ${fault.given === undefined ? 'not set' : `given ${fault.given}`}; expected ${fault.expected}`;
}

function shown(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (isSecretSetting(name)) return REDACTED;
  return `"${maskCredentials(value).slice(0, MAX_SHOWN)}"`;
}

function expectation(schema: z.ZodObject, name: string, message: string): string {
  const description = descriptionOf(schema.shape[name] as z.ZodType | undefined);
  return description === undefined ? message : `${description} (${message})`;
}

/** A default, a pre-fault or an optional wraps the schema that was described. */
function descriptionOf(schema: z.ZodType | undefined): string | undefined {
  for (let inner = schema; inner !== undefined; inner = (inner.def as { innerType?: z.ZodType }).innerType) {
    if (inner.description !== undefined) return inner.description;
  }
  return undefined;
}
