import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { CURRENT, listRotated, listServices, type RotatedFile } from '../file/layout.js';
import { linesBackward, linesForward } from './line-files.js';
import type { Query } from './query.js';
import { inOrder, matchingRecord, type LogRecord } from './record.js';

/** Lines of several replicas of a service are out of order by at most this, in milliseconds. */
const DISORDER_MS = 60_000;

/** A service's current file, opened; `offset` is where following begins, so that nothing before it is printed twice. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly offset: number;
}

/** The newest lines that the query wants, oldest first. */
export async function newestRecords(query: Query, followed: ReadonlyMap<string, OpenFile> = new Map()): Promise<LogRecord[]> {
  if (query.lines === 0) return [];
  const records: LogRecord[] = [];
  for (const service of await wantedServices(query)) records.push(...(await newestOfService(query, service, followed)));
  return inOrder(records).slice(-query.lines);
}

/** The services that the query asks for and that have logs. */
export async function wantedServices({ directory, services }: Query): Promise<string[]> {
  const present = await listServices(directory);
  return services.length === 0 ? present : present.filter((service) => services.includes(service));
}

async function newestOfService(query: Query, service: string, followed: ReadonlyMap<string, OpenFile>): Promise<LogRecord[]> {
  const folder = join(query.directory, service);
  const given = followed.get(service);
  // Opened before the others are listed: when it is rotated in between, it is in that list too, and passed over there.
  const current = given ?? (await openCurrent(query, service));
  try {
    const rotated = (await listRotated(folder)).filter((file) => file.inode !== current?.inode);
    let found = current === undefined ? [] : await newestOfCurrent(query, current);
    for (const file of rotated.reverse()) {
      if (found.length >= query.lines || isTooOld(file, query)) break;
      found = [...(await newestOfRotated(query, file, query.lines - found.length)), ...found];
    }
    return found;
  } finally {
    if (given === undefined) await current?.handle.close();
  }
}

async function newestOfCurrent(query: Query, { handle, offset }: OpenFile): Promise<LogRecord[]> {
  const newestFirst: LogRecord[] = [];
  for await (const line of linesBackward(handle, offset)) {
    const record = matchingRecord(line, query);
    if (record !== undefined) newestFirst.push(record);
    if (newestFirst.length >= query.lines || isBefore(line, query)) break;
  }
  return newestFirst.reverse();
}

async function newestOfRotated(query: Query, file: RotatedFile, limit: number): Promise<LogRecord[]> {
  let found: LogRecord[] = [];
  for await (const line of linesOfRotated(file)) {
    const record = matchingRecord(line, query);
    if (record === undefined) continue;
    found.push(record);
    if (found.length >= 2 * limit) found = found.slice(-limit);
  }
  return found.slice(-limit);
}

function isTooOld(file: RotatedFile, { since }: Query): boolean {
  return since !== undefined && file.modifiedAt.getTime() < since.getTime() - DISORDER_MS;
}

/** Whether reading backwards has come to lines that are surely older than what is wanted. */
function isBefore(line: string, { since }: Query): boolean {
  const time = since === undefined ? null : /^\{"time":"([^"]{10,40})"/.exec(line);
  return time !== null && since !== undefined && Date.parse(time[1] ?? '') < since.getTime() - DISORDER_MS;
}

/** A file that was compressed since it was listed is read in that form; one that was removed is empty. */
async function* linesOfRotated(file: RotatedFile): AsyncGenerator<string> {
  for (const path of file.compressed ? [file.path] : [file.path, `${file.path}.gz`]) {
    try {
      yield* linesForward(path);
      return;
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}

/** The current file of a service up to its present end. */
export async function openCurrent({ directory }: Query, service: string): Promise<OpenFile | undefined> {
  try {
    const handle = await open(join(directory, service, CURRENT), 'r');
    const { ino, size } = await handle.stat();
    return { handle, inode: ino, offset: size };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
