import type { Exchange } from './exchange.js';
import type { V2Route } from '@haven/oci';

export type Action = 'pull' | 'push' | 'delete' | 'catalog' | 'login';

/** One method of one kind of path: what it needs, and who answers. */
export interface Operation<Kind extends V2Route['kind'] = V2Route['kind']> {
  readonly action: Action;
  handle(exchange: Exchange<Extract<V2Route, { kind: Kind }>>): void | Promise<void>;
}

/** Everything the registry answers: kind of path, then method. What is not here is 404 or 405. */
export type RouteTable = { readonly [Kind in Exclude<V2Route['kind'], 'unknown'>]: Readonly<Record<string, Operation<Kind>>> };
