import { AsyncLocalStorage } from 'node:async_hooks';

/** Who caused what happens inside, and from where; it travels with every event that is written meanwhile. */
export interface Origin {
  /** The caller's name as people know it, e.g. "alice" or "robot$ci"; empty until known, and for nobody. */
  name: string;
  /** The caller's network address; empty for work of the platform itself. */
  address: string;
  requestId: string;
}

const current = new AsyncLocalStorage<Origin>();

/** Runs `work`, and everything it starts, as caused by `origin`. The object may be completed while it runs. */
export function withOrigin<Result>(origin: Origin, work: () => Result): Result {
  return current.run(origin, work);
}

/** The origin of what is running now; undefined for the platform's own work. */
export function currentOrigin(): Origin | undefined {
  return current.getStore();
}
