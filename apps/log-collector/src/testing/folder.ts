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
  const present = readdirSync(folder).filter((name) => /\.jsonl(\.gz)?$/.test(name));
  // Both forms are there for a moment while a file is being compressed.
  const rotated = present.filter((name) => name !== 'current.jsonl' && !(name.endsWith('.gz') && present.includes(name.slice(0, -'.gz'.length)))).sort();
  const names = [...rotated, ...present.filter((name) => name === 'current.jsonl')];
  try {
    return names.flatMap((name) => {
      const bytes = readFileSync(join(folder, name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n').filter((line) => line !== '');
    });
  } catch (error) {
    // A file was compressed or rotated just now: look again.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return storedLines(folder);
    throw error;
  }
}

/** A line as our loggers write them. */
export function logLine(second: number, fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ time: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(), level: 'info', service: 'registry', message: `line ${second}`, ...fields });
}
