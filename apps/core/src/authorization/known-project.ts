import type { ProjectAccess } from '@haven/access';

/** A project with the caller's own roles in it: enough to decide what the caller may do there. */
export interface KnownProject extends ProjectAccess {
  readonly name: string;
}
