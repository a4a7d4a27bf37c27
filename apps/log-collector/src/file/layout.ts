import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isServiceName } from '../collect/parse-line.js';

export const CURRENT = 'current.jsonl';
const ROTATED = /^(\d{8})\.jsonl(\.gz)?$/;

/** A file that is not written any more: `00000042.jsonl`, or `.jsonl.gz` once it is compressed. Greater numbers are newer. */
export interface RotatedFile {
  readonly path: string;
  readonly number: number;
  readonly compressed: boolean;
  readonly inode: number;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** The services that have a folder in the log directory. */
export async function listServices(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && isServiceName(entry.name)).map((entry) => entry.name).sort();
}

/** A service's rotated files, oldest first. Both forms of one number are there only while it is being compressed: the plain one counts. */
export async function listRotated(folder: string): Promise<RotatedFile[]> {
  const found = new Map<number, RotatedFile>();
  for (const name of (await readdir(folder)).sort()) {
    const match = ROTATED.exec(name);
    const number = Number(match?.[1] ?? NaN);
    if (match === null || found.has(number)) continue;
    const file = await rotatedFile(join(folder, name), number, match[2] !== undefined);
    if (file !== undefined) found.set(number, file);
  }
  return [...found.values()].sort((left, right) => left.number - right.number);
}

export function rotatedName(number: number): string {
  return `${String(number).padStart(8, '0')}.jsonl`;
}

/** Undefined when it was removed meanwhile. */
async function rotatedFile(path: string, number: number, compressed: boolean): Promise<RotatedFile | undefined> {
  try {
    const { size, mtime, ino } = await stat(path);
    return { path, number, compressed, inode: ino, size, modifiedAt: mtime };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
