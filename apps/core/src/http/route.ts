import type { z } from 'zod';
import type { Requirement } from '../authorization/requirement.js';
import type { OperationFacts } from './operation.js';
import type { DeclaredResponse } from './response.interceptor.js';

/** A part of the request that a handler takes. */
export interface RouteParameter {
  readonly in: 'query' | 'path' | 'header' | 'body';
  /** Undefined where the handler takes the whole query or body, whose schema has the names. */
  readonly name: string | undefined;
  readonly schema: z.ZodType | undefined;
}

/** One route of this service, as the decorators of its handler declare it. */
export interface Route {
  readonly method: string;
  /** The pattern, e.g. "/api/v2.0/users/:user_id". */
  readonly path: string;
  readonly requirement: Requirement;
  readonly operation: OperationFacts;
  readonly response: DeclaredResponse;
  /** The status of success. */
  readonly status: number;
  readonly parameters: readonly RouteParameter[];
}
