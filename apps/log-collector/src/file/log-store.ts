import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@haven/runtime';
import type { ParsedLine } from '../collect/parse-line.js';
import { listRotated, listServices, type RotatedFile } from './layout.js';
import { ServiceLog, type ServiceLogLimits } from './service-log.js';

export interface LogStoreLimits extends ServiceLogLimits {
  /** Below this much free space the oldest rotated files go, in bytes. */
  readonly minFreeBytes: number;
}

/** Free space of the disk that holds a folder, in bytes. Replaced in tests. */
export type FreeSpace = (directory: string) => Promise<number>;

const MAX_SERVICES = 64;
const OVERFLOW = 'unknown';
const SPACE_CHECK_MS = 5000;

/** Opens the log directory, creating it when needed, and finishes what a crash left. */
export async function openLogStore(directory: string, limits: LogStoreLimits, logger: Logger, freeSpace: FreeSpace = freeBytes): Promise<LogStore> {
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const store = new LogStore(directory, await consumerName(directory), limits, logger, freeSpace);
  for (const service of await listServices(directory)) await store.open(service);
  return store;
}

/** Log files, one folder for each service. */
export class LogStore {
  /** Names this directory's reader of the log stream, the same after each restart. */
  readonly consumer: string;
  readonly #directory: string;
  readonly #limits: LogStoreLimits;
  readonly #logger: Logger;
  readonly #freeSpace: FreeSpace;
  readonly #logs = new Map<string, ServiceLog>();
  #spaceCheckedAt = -Infinity;

  constructor(directory: string, consumer: string, limits: LogStoreLimits, logger: Logger, freeSpace: FreeSpace) {
    this.#directory = directory;
    this.consumer = consumer;
    this.#limits = limits;
    this.#logger = logger;
    this.#freeSpace = freeSpace;
  }

  /**
   * Resolves once every line is on disk. When it rejects some of them may be there nevertheless: append them all again.
   * A full disk costs the oldest rotated file first; only when there is none left does it reject.
   */
  async append(lines: readonly ParsedLine[]): Promise<void> {
    await this.#guardSpace();
    for (const [service, group] of groups(lines)) await this.#appendTo(service, group);
  }

  async open(service: string): Promise<ServiceLog> {
    const known = this.#logs.get(service);
    if (known !== undefined) return known;
    if (this.#logs.size >= MAX_SERVICES && service !== OVERFLOW) return this.open(OVERFLOW);
    const log = await ServiceLog.open(join(this.#directory, service), this.#limits, this.#logger);
    this.#logs.set(service, log);
    return log;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.close()));
  }

  async #appendTo(service: string, lines: readonly string[]): Promise<void> {
    for (;;) {
      try {
        return await (await this.open(service)).append(lines);
      } catch (error) {
        if (!isDiskFull(error) || !(await this.#removeOldest('the disk is full'))) throw error;
      }
    }
  }

  async #guardSpace(): Promise<void> {
    const now = performance.now();
    if (now - this.#spaceCheckedAt < SPACE_CHECK_MS) return;
    this.#spaceCheckedAt = now;
    while ((await this.#freeSpace(this.#directory)) < this.#limits.minFreeBytes) {
      if (!(await this.#removeOldest('the disk is nearly full (HAVEN_LOG_MIN_FREE_BYTES)'))) return;
    }
  }

  /** False when there is no rotated file left. */
  async #removeOldest(reason: string): Promise<boolean> {
    let oldest: RotatedFile | undefined;
    for (const log of this.#logs.values()) {
      for (const file of await listRotated(log.folder)) if (oldest === undefined || file.modifiedAt < oldest.modifiedAt) oldest = file;
    }
    if (oldest === undefined) return false;
    await rm(oldest.path, { force: true });
    this.#logger.warn('the oldest log file was removed to make room', { reason, file: oldest.path, bytes: oldest.size });
    return true;
  }
}

function groups(lines: readonly ParsedLine[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { service, text } of lines) {
    const group = found.get(service);
    if (group === undefined) found.set(service, [text]);
    else group.push(text);
  }
  return found;
}

function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

async function consumerName(directory: string): Promise<string> {
  const path = join(directory, '.collector-id');
  try {
    await writeFile(path, `${randomUUID()}\n`, { flag: 'wx', mode: 0o640, flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const name = (await readFile(path, 'utf8')).trim();
  if (!/^[0-9a-f-]{36}$/.test(name)) throw new Error(`${path} does not hold a collector's id; remove it`);
  return name;
}
