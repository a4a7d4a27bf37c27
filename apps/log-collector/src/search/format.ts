import type { LogRecord } from './record.js';

/** A line for people: time, level, service, message, then the fields. Nothing in it can control the terminal. */
export function formatRecord({ fields, line }: LogRecord, json: boolean): string {
  if (json) return line;
  const { time, level, service, message, ...rest } = fields;
  const details = Object.entries(rest).map(([key, value]) => ` ${key}=${shown(key, value)}`).join('');
  return harmless(`${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(service).padEnd(13)} ${String(message)}${details}`) + stacks(rest);
}

function shown(_key: string, value: unknown): string {
  if (isError(value)) return JSON.stringify(value.message ?? value.name ?? '');
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

/** Stack traces on lines of their own, indented. */
function stacks(fields: Readonly<Record<string, unknown>>): string {
  return Object.values(fields).filter(isError).flatMap((error) => (error.stack ?? '').split('\n').slice(1))
    .map((line) => `\n    ${harmless(line.trim())}`).join('');
}

function isError(value: unknown): value is { name?: string; message?: string; stack?: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string';
}

/** Control characters (C0, C1 and bidirectional overrides) as escapes. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
