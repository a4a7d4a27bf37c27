import { constants, open } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BufferPool } from './buffer-pool.js';

/** Buffers for all transfers together, 1 MiB each. Transfers beyond that get by with small ones of their own. */
const BUFFERS = 64;
/** Opens regular files only: a symbolic link in the last place is refused, and a pipe does not block. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The blob files that the proxy may send in the registry's stead, and the buffers for it. */
export class BlobFiles {
  readonly root: string;
  readonly buffers = new BufferPool(BUFFERS);

  private constructor(root: string) {
    this.root = root;
  }

  /**
   * @param storage HAVEN_STORAGE.
   * @returns undefined unless it is a file:// URL.
   * @throws Error when the folder is not there.
   */
  static async at(storage: string | undefined): Promise<BlobFiles | undefined> {
    if (storage === undefined || !storage.startsWith('file://')) return undefined;
    const folder = fileURLToPath(storage);
    const root = await realpath(folder).catch((cause: unknown) => { throw new Error(`HAVEN_STORAGE: there is no folder ${folder}; create it, or leave the setting out`, { cause }); });
    if (!(await stat(root)).isDirectory()) throw new Error(`HAVEN_STORAGE: ${folder} is not a folder`);
    return new BlobFiles(root);
  }

  /** @param path that parseHandOver has accepted. */
  open(path: string, done: (error: NodeJS.ErrnoException | null, descriptor: number) => void): void {
    open(`${this.root}/${path}`, FLAGS, done);
  }
}
