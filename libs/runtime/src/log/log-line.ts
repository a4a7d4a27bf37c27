import { isSecretKey, maskCredentials, REDACTED } from './redaction.js';
import type { LogFields, LogLevel } from './logger.js';

/** No line is longer than this, in bytes. Longer ones lose fields, never their message. */
export const MAX_LINE_BYTES = 16 * 1024;

const MAX_DEPTH = 6;
const MAX_ENTRIES = 64;
const MAX_TEXT = 4096;
const MAX_MESSAGE = 2000;
const RESERVED = new Set(['time', 'level', 'service', 'message']);

/** One JSON line: time, level, service, message, then the fields, with secrets masked and its length bounded. */
export function formatLine(time: Date, level: LogLevel, service: string, message: string, fields: LogFields): string {
  const head = { time: time.toISOString(), level, service, message: bounded(maskCredentials(bounded(message, MAX_TEXT)), MAX_TEXT) };
  const line = tryStringify({ ...head, ...plainFields(fields) });
  if (line !== undefined && Buffer.byteLength(line) <= MAX_LINE_BYTES) return line;
  const requestId = typeof fields['requestId'] === 'string' ? { requestId: bounded(fields['requestId'], 128) } : {};
  return JSON.stringify({ ...head, message: bounded(head.message, MAX_MESSAGE), ...requestId, truncated: true });
}

function tryStringify(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // Only a field could have caused this; the caller then writes the line without fields.
  }
}

function plainFields(fields: LogFields): Record<string, unknown> {
  const copier = new PlainCopy();
  const plain = copier.object(fields, 0) as Record<string, unknown>;
  for (const key of RESERVED) {
    if (!(key in plain)) continue;
    plain[`field_${key}`] = plain[key];
    delete plain[key];
  }
  return plain;
}

/** Copies a value into plain JSON: bounded in depth, width and size, without cycles, without secrets, whatever getters do. */
class PlainCopy {
  readonly #path = new Set<object>();
  #budget = MAX_LINE_BYTES;

  object(source: object, depth: number): unknown {
    return this.#nested(source, depth, () => {
      const copy: Record<string, unknown> = {};
      for (const key of ownKeys(source)) {
        if (this.#budget <= 0) {
          copy['truncated'] = true;
          break;
        }
        this.#budget -= key.length;
        const value = this.#readable(source, key);
        if (value !== undefined) copy[bounded(key, 128)] = isSecretKey(key) && isTextual(value) ? REDACTED : this.value(value, depth + 1);
      }
      return copy;
    });
  }

  value(value: unknown, depth: number): unknown {
    if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number') return value;
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object') return `[${typeof value}]`;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
    if (value instanceof URL) return this.#text(value.href);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Error) return this.#error(value, depth);
    if (value instanceof Map) return this.object(Object.fromEntries([...value].slice(0, MAX_ENTRIES)), depth);
    if (Array.isArray(value) || value instanceof Set) return this.#list([...value], value, depth);
    return this.object(value, depth);
  }

  #list(items: readonly unknown[], source: object, depth: number): unknown {
    return this.#nested(source, depth, () => {
      const copy: unknown[] = [];
      for (const item of items.slice(0, MAX_ENTRIES)) {
        if (this.#budget <= 0) break;
        copy.push(this.value(item, depth + 1));
      }
      if (copy.length < items.length) copy.push(`[${items.length - copy.length} more]`);
      return copy;
    });
  }

  #error(error: Error, depth: number): unknown {
    return this.#nested(error, depth, () => {
      const details: Record<string, unknown> = {};
      for (const key of ['name', 'message', 'stack', 'code', 'cause', 'errors']) {
        const value = this.#readable(error, key);
        if (value !== undefined) details[key] = this.value(value, depth + 1);
      }
      return details;
    });
  }

  #nested(source: object, depth: number, copy: () => unknown): unknown {
    if (this.#path.has(source)) return '[circular]';
    if (depth > MAX_DEPTH) return '[too deep]';
    this.#path.add(source);
    try {
      return copy();
    } finally {
      this.#path.delete(source);
    }
  }

  #readable(source: object, key: string): unknown {
    try {
      return (source as Record<string, unknown>)[key];
    } catch {
      return '[unreadable]';
    }
  }

  #text(text: string): string {
    const kept = bounded(maskCredentials(bounded(text, MAX_TEXT)), MAX_TEXT);
    this.#budget -= kept.length;
    return kept;
  }
}

function ownKeys(source: object): string[] {
  try {
    return Object.keys(source).slice(0, MAX_ENTRIES);
  } catch {
    return [];
  }
}

function isTextual(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null);
}

function bounded(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…[${text.length - length} more characters]`;
}
