import type { JsonObject } from './json.js';

/** An operation object in its place. */
export interface PlacedOperation {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly operation: JsonObject;
}
