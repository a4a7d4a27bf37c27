import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A temporary folder; remove it after the test. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'haven-logs-'));
  return { path, remove: () => { rmSync(path, { recursive: true, force: true }); } };
}

/** All lines of a service's folder, oldest file first. */
export function storedLines(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.includes('.jsonl')).sort((left, right) => Number(left === 'current.jsonl') - Number(right === 'current.jsonl') || left.localeCompare(right));
  return names.flatMap((name) => {
    const bytes = readFileSync(join(folder, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n').filter((line) => line !== '');
  });
}

/** A line as our loggers write them. */
export function logLine(second: number, fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ time: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(), level: 'info', service: 'registry', message: `line ${second}`, ...fields });
}
