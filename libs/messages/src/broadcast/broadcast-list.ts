import { z } from 'zod';

const repository = z.string().min(1).max(255);

/**
 * What processes tell each other so that caches are fresh at once. Broadcasts may be lost: whoever listens must
 * also re-read the truth from time to time.
 */
export const BROADCASTS = {
  /** A tag was made, moved or deleted. */
  'tag-changed': z.object({ repository, tag: z.string().min(1).max(128) }),
  'manifest-deleted': z.object({ repository, digest: z.string().min(1).max(200) }),
  'repository-deleted': z.object({ repository }),
  /** Storage was found to be without the bytes of some blobs: whoever remembers that they are there asks again. */
  'blobs-lost': z.object({}),
  /** Rights were taken away: read the access epochs again. */
  'access-changed': z.object({}),
  /** A project was made, changed or deleted; `project` is its name. */
  'project-changed': z.object({ project: z.string().min(1).max(255) }),
  'settings-changed': z.object({}),
  /** Somebody asked an execution to stop; whoever does its tasks ends them. */
  'execution-stopped': z.object({ execution: z.int().positive() }),
  /** What waits in paused queues may be begun again. */
  'queues-resumed': z.object({}),
} as const satisfies Record<string, z.ZodObject>;

export type BroadcastName = keyof typeof BROADCASTS;
export type BroadcastPayload<N extends BroadcastName = BroadcastName> = z.infer<(typeof BROADCASTS)[N]>;

export const BROADCAST_NAMES = Object.keys(BROADCASTS) as BroadcastName[];
