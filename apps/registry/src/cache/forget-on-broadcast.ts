import type { Broadcasts } from '@haven/messages';
import type { BlobInRepository } from '@haven/catalog';
import type { ManifestCache } from '../manifest/manifest-cache.js';
import type { ExpiringCache } from './expiring-cache.js';

export interface Caches {
  readonly manifests: ManifestCache;
  readonly blobs: ExpiringCache<BlobInRepository>;
}

/** Keeps this replica's memory in step with what others change; after a gap in listening everything is forgotten. */
export function forgetOnBroadcast(broadcasts: Broadcasts, { manifests, blobs }: Caches): () => void {
  const clear = (): void => {
    manifests.clear();
    blobs.clear();
  };
  const subscriptions = [
    broadcasts.on('tag-changed', ({ repository, tag }, { own }) => {
      if (!own) manifests.forgetTag(repository, tag);
    }),
    broadcasts.on('manifest-deleted', (_deleted, { own }) => {
      if (!own) clear();
    }),
    broadcasts.on('repository-deleted', clear),
    broadcasts.on('project-changed', clear),
    broadcasts.on('blobs-lost', clear),
    broadcasts.onReconnect(clear),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}
