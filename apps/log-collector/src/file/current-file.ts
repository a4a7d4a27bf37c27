import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** More than any line is long. */
const TAIL_BYTES = 256 * 1024;

/** The file of a service that is being written. Every append is on disk (fdatasync) when it resolves, or has left no trace. */
export class CurrentFile {
  readonly #handle: FileHandle;
  #size: number;
  readonly openedAt: number;

  private constructor(handle: FileHandle, size: number, openedAt: number) {
    this.#handle = handle;
    this.#size = size;
    this.openedAt = openedAt;
  }

  /** Opens or creates it. A line that a crash cut off is removed: it was not acknowledged, so it comes again. */
  static async open(path: string): Promise<CurrentFile> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
    try {
      const { size, birthtimeMs } = await handle.stat();
      const whole = await endOfLastLine(handle, size);
      if (whole < size) await handle.truncate(whole);
      return new CurrentFile(handle, whole, whole === 0 ? Date.now() : birthtimeMs);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  async append(data: Buffer): Promise<void> {
    try {
      let written = 0;
      while (written < data.length) written += (await this.#handle.write(data, written, data.length - written, this.#size + written)).bytesWritten;
      await this.#handle.datasync();
    } catch (error) {
      await this.#handle.truncate(this.#size);
      throw error;
    }
    this.#size += data.length;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const start = Math.max(0, size - TAIL_BYTES);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  const lineFeed = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
  return lineFeed === -1 ? start : start + lineFeed + 1;
}
