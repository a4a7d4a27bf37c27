import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { CURRENT, listRotated, listServices, type RotatedFile } from '../file/layout.js';
import { linesBackward, linesForward } from './line-files.js';
import type { Query } from './query.js';
import { inOrder, matchingRecord, type LogRecord } from './record.js';

/** Lines of several replicas of a service are out of order by at most this, in milliseconds. */
const DISORDER_MS = 60_000;

/** Where following begins, so that what it will print is not printed twice: by service, bytes of which file. */
export type FollowedFrom = ReadonlyMap<string, { readonly inode: number; readonly offset: number }>;

/** The newest lines that the query wants, oldest first. */
export async function newestRecords(query: Query, followed: FollowedFrom = new Map()): Promise<LogRecord[]> {
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

async function newestOfService(query: Query, service: string, followed: FollowedFrom): Promise<LogRecord[]> {
  const folder = join(query.directory, service);
  // Listed before the current file is read: one that is rotated meanwhile is then read once, as the current one.
  const rotated = await listRotated(folder);
  let found = await newestOfCurrent(query, join(folder, CURRENT), followed.get(service));
  for (const file of rotated.reverse()) {
    if (found.length >= query.lines || isTooOld(file, query)) break;
    found = [...(await newestOfRotated(query, file, query.lines - found.length)), ...found];
  }
  return found;
}

async function newestOfCurrent(query: Query, path: string, followed: { readonly inode: number; readonly offset: number } | undefined): Promise<LogRecord[]> {
  const handle = await openIfPresent(path);
  if (handle === undefined) return [];
  try {
    const { size, ino } = await handle.stat();
    // Rotated since following began: following reads the new file from its start.
    if (followed !== undefined && followed.inode !== ino) return [];
    const newestFirst: LogRecord[] = [];
    for await (const line of linesBackward(handle, followed?.offset ?? size)) {
      const record = matchingRecord(line, query);
      if (record !== undefined) newestFirst.push(record);
      if (newestFirst.length >= query.lines || isBefore(line, query)) break;
    }
    return newestFirst.reverse();
  } finally {
    await handle.close();
  }
}

async function newestOfRotated(query: Query, file: RotatedFile, limit: number): Promise<LogRecord[]> {
  let found: LogRecord[] = [];
  for await (const line of linesForward(file.path)) {
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

async function openIfPresent(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
