/** The database cannot be reached or is restarting: try again later (HTTP 503), nothing is known to be wrong with the request. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/**
 * Whether the database is out of this process's reach. Not when all of its own connections were in use for too long: then
 * it has too much to do, and others may not.
 */
export function isOutOfReach(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && !(error.cause instanceof Error && POOL_EXHAUSTED.test(error.cause.message));
}

export type DatabaseFault = 'unavailable' | 'conflict' | 'duplicate' | 'missing-reference' | 'other';

/** SQLSTATE classes and codes, PostgreSQL manual, appendix A. */
const UNAVAILABLE_CODES = new Set(['57P01', '57P02', '57P03', '53300', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** A partition was attached while a row was on its way to the default one: the same statement finds the new partition. */
const MOVED_ROW = /violates partition constraint$/;
const CONFLICT_CODES = new Set(['40001', '40P01']);
/** What the pool says of a request that waited for one of its connections. */
const POOL_EXHAUSTED = /timeout exceeded when trying to connect/i;
const LOST_CONNECTION = /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|connection timeout/i;

/** What kind of fault an error from the driver is; decides whether a transaction may run again. */
export function databaseFault(error: unknown): DatabaseFault {
  if (error instanceof DatabaseUnavailable) return 'unavailable';
  if (typeof error !== 'object' || error === null) return 'other';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  if (UNAVAILABLE_CODES.has(code) || code.startsWith('08') || LOST_CONNECTION.test(message) || isMissingSocket(error, code)) return 'unavailable';
  if (CONFLICT_CODES.has(code) || (code === '23514' && MOVED_ROW.test(message))) return 'conflict';
  if (code === '23505') return 'duplicate';
  if (code === '23503') return 'missing-reference';
  return 'other';
}

/** A database behind a Unix socket that is not there; the same code from the file system means something else. */
function isMissingSocket(error: object, code: string): boolean {
  return code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect';
}
