import { Problem, problemCodeOf, PROBLEMS } from '@haven/api';
import { CatalogError } from '@haven/catalog';
import { DatabaseUnavailable } from '@haven/database';
import { StorageError } from '@haven/storage';
import { problemOfCatalog } from './catalog-problem.js';

/** What any error means for the client. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CatalogError) return problemOfCatalog(error);
  if (error instanceof DatabaseUnavailable || (error instanceof StorageError && error.kind === 'unavailable')) {
    return new Problem('SERVICE_UNAVAILABLE', undefined, { headers: { 'Retry-After': '2' }, cause: error });
  }
  const status = frameworkStatus(error);
  return status === undefined ? new Problem('UNKNOWN', undefined, { cause: error }) : frameworkProblem(status, error);
}

/** The status of what Nest (getStatus) and Fastify (statusCode) refuse by themselves. */
function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('getStatus' in error && typeof error.getStatus === 'function') return Number(error.getStatus());
  if ('statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
  return undefined;
}

/** The frameworks' own sentences quote input and internals, so ours stand in. */
function frameworkProblem(status: number, cause: unknown): Problem {
  const code = problemCodeOf(status);
  return new Problem(code, code === 'BAD_REQUEST' ? 'the request cannot be read; check its address and that its body is valid JSON' : PROBLEMS[code].message, { cause });
}
