import type { BlobController } from '../blob/blob.controller.js';
import type { ManifestController } from '../manifest/manifest.controller.js';
import type { ReferrerController } from '../referrer/referrer.controller.js';
import type { TagController } from '../tag/tag.controller.js';
import type { UploadController } from '../upload/upload.controller.js';
import type { RouteTable } from './routes.js';

export interface Controllers {
  readonly blobs: BlobController;
  readonly uploads: UploadController;
  readonly manifests: ManifestController;
  readonly tags: TagController;
  readonly referrers: ReferrerController;
}

/** The whole API of the registry on one page: what each method of each kind of path needs, and who answers. */
export function routeTable({ blobs, uploads, manifests, tags, referrers }: Controllers): RouteTable {
  return {
    base: {
      GET: { action: 'login', handle: (exchange) => exchange.sendJson(200, {}, {}) },
      HEAD: { action: 'login', handle: (exchange) => exchange.sendJson(200, {}, {}) },
    },
    catalog: {
      GET: { action: 'catalog', handle: (exchange) => tags.listRepositories(exchange) },
    },
    tags: {
      GET: { action: 'pull', handle: (exchange) => tags.listTags(exchange) },
    },
    manifest: {
      GET: { action: 'pull', handle: (exchange) => manifests.get(exchange) },
      HEAD: { action: 'pull', handle: (exchange) => manifests.get(exchange) },
      PUT: { action: 'push', handle: (exchange) => manifests.put(exchange) },
      DELETE: { action: 'delete', handle: (exchange) => manifests.delete(exchange) },
    },
    blob: {
      GET: { action: 'pull', handle: (exchange) => blobs.get(exchange) },
      HEAD: { action: 'pull', handle: (exchange) => blobs.get(exchange) },
      DELETE: { action: 'delete', handle: (exchange) => blobs.delete(exchange) },
    },
    uploads: {
      POST: { action: 'push', handle: (exchange) => uploads.start(exchange) },
    },
    upload: {
      GET: { action: 'push', handle: (exchange) => uploads.status(exchange) },
      PATCH: { action: 'push', handle: (exchange) => uploads.append(exchange) },
      PUT: { action: 'push', handle: (exchange) => uploads.finish(exchange) },
      DELETE: { action: 'push', handle: (exchange) => uploads.cancel(exchange) },
    },
    referrers: {
      GET: { action: 'pull', handle: (exchange) => referrers.list(exchange) },
    },
  };
}
