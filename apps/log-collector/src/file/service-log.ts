import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@haven/runtime';
import { compressFile, syncFolder, UNFINISHED } from './compress.js';
import { CurrentFile } from './current-file.js';
import { CURRENT, listRotated, rotatedName } from './layout.js';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface ServiceLogLimits {
  readonly fileBytes: number;
  readonly files: number;
  readonly days: number;
}

/**
 * The log files of one service: `current.jsonl` and rotated ones, which are compressed in the background.
 *
 * Each append is one write and one fdatasync, so what was acknowledged survives a power loss; lines come in batches of
 * up to 500, which keeps that affordable.
 */
export class ServiceLog {
  readonly folder: string;
  readonly #limits: ServiceLogLimits;
  readonly #logger: Logger;
  #file: CurrentFile;
  #next: number;
  #renamed = false;
  #upkeep: Promise<void> = Promise.resolve();

  private constructor(folder: string, limits: ServiceLogLimits, logger: Logger, file: CurrentFile, next: number) {
    this.folder = folder;
    this.#limits = limits;
    this.#logger = logger;
    this.#file = file;
    this.#next = next;
  }

  static async open(folder: string, limits: ServiceLogLimits, logger: Logger): Promise<ServiceLog> {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    for (const name of await readdir(folder)) if (name.endsWith(UNFINISHED)) await rm(join(folder, name), { force: true });
    const rotated = await listRotated(folder);
    const log = new ServiceLog(folder, limits, logger, await CurrentFile.open(join(folder, CURRENT)), (rotated.at(-1)?.number ?? 0) + 1);
    log.#startUpkeep();
    return log;
  }

  /** Resolves once the lines are on disk. */
  async append(lines: readonly string[]): Promise<void> {
    let batch: Buffer[] = [];
    let size = 0;
    for (const line of lines) {
      const data = Buffer.from(`${line}\n`);
      if (this.#isFull(size + data.length)) {
        await this.#write(batch);
        [batch, size] = [[], 0];
        await this.#rotate();
      }
      batch.push(data);
      size += data.length;
    }
    await this.#write(batch);
  }

  async close(): Promise<void> {
    await this.#upkeep;
    await this.#file.close();
  }

  #isFull(added: number): boolean {
    if (this.#renamed) return true;
    if (this.#file.size + added > this.#limits.fileBytes) return this.#file.size + added > 0;
    return this.#file.size > 0 && Date.now() - this.#file.openedAt > DAY_MS;
  }

  async #write(batch: readonly Buffer[]): Promise<void> {
    if (batch.length > 0) await this.#file.append(Buffer.concat(batch));
  }

  async #rotate(): Promise<void> {
    if (this.#file.size === 0) return;
    const current = join(this.folder, CURRENT);
    if (!this.#renamed) await rename(current, join(this.folder, rotatedName(this.#next)));
    this.#renamed = true; // Until its successor exists: on a full disk that may take several attempts.
    const old = this.#file;
    this.#file = await CurrentFile.open(current);
    this.#renamed = false;
    this.#next++;
    await old.close();
    await syncFolder(this.folder);
    this.#startUpkeep();
  }

  #startUpkeep(): void {
    this.#upkeep = this.#upkeep.then(() => this.#keepUp()).catch((error: unknown) => {
      this.#logger.warn('rotated log files could not be compressed or removed; this is tried again after the next rotation', { folder: this.folder, error });
    });
  }

  async #keepUp(): Promise<void> {
    const rotated = await listRotated(this.folder);
    const oldest = Date.now() - this.#limits.days * DAY_MS;
    const expired = rotated.filter((file, index) => index < rotated.length - this.#limits.files || file.modifiedAt.getTime() < oldest);
    for (const file of expired) await rm(file.path, { force: true });
    for (const file of rotated) if (!file.compressed && !expired.includes(file)) await compressFile(file.path);
  }
}
