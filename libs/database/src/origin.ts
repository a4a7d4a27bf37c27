import { AsyncLocalStorage } from 'node:async_hooks';

/** Who caused what happens inside, and from where; it travels with every event that is written meanwhile. */
export interface Origin {
  /** The caller's name as people know it, e.g. "alice" or "robot$ci"; empty until known, and for nobody. */
  name: string;
  /** The caller's network address; empty for work of the platform itself. */
  readonly address: string;
  readonly requestId: string;
  /** The names of the events that were written meanwhile; appendEvents keeps it. */
  told?: Set<string>;
}

const LONGEST_NAME = 255;

const current = new AsyncLocalStorage<Origin>();

/** Runs `work`, and everything it starts, as caused by `origin`. The object may be completed while it runs. */
export function withOrigin<Result>(origin: Origin, work: () => Result): Result {
  return current.run(origin, work);
}

/** The origin of what is running now; undefined for the platform's own work. */
export function currentOrigin(): Origin | undefined {
  return current.getStore();
}

/** What is kept of an origin with an event: a name is what a client sent, so it may hold what no column can. */
export function originColumn(origin: Origin | undefined): string {
  if (origin === undefined) return '{}';
  const name = origin.name.slice(0, LONGEST_NAME).replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
  return JSON.stringify({ name, address: origin.address, requestId: origin.requestId });
}

/** Remembers in the origin which events were written: who watches over its work can tell that there was one. */
export function tell(origin: Origin | undefined, types: readonly string[]): void {
  if (origin === undefined) return;
  origin.told ??= new Set();
  for (const type of types) origin.told.add(type);
}
