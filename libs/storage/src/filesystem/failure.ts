import { errorCode } from '../error-code.js';
import { StorageError, type StorageFailure } from '../storage-error.js';

const KINDS: Readonly<Record<string, StorageFailure>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  // What a network mount says while its server is away, and a process that has too much open.
  ESTALE: 'unavailable',
  ETIMEDOUT: 'unavailable',
  EHOSTDOWN: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENOTCONN: 'unavailable',
  ECONNRESET: 'unavailable',
  EAGAIN: 'unavailable',
  EBUSY: 'unavailable',
  EINTR: 'unavailable',
  EMFILE: 'unavailable',
  ENFILE: 'unavailable',
  ENOMEM: 'unavailable',
};

/** True for errors that say that a path leads nowhere. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A system error as a {@link StorageError}; every other error as it is. */
export function storageFailure(error: unknown, doing: string): unknown {
  const code = errorCode(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StorageError(KINDS[code] ?? 'broken', `The file system failed to ${doing}: ${code}.`, error);
}

/** Runs file system calls and turns their errors into {@link StorageError}s. */
export async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageFailure(error, doing);
  }
}
