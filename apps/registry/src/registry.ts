import { AccessEpochs, RegistryTokenVerifier } from '@haven/access';
import { Catalog, type BlobInRepository } from '@haven/catalog';
import type { Database } from '@haven/database';
import type { Broadcasts } from '@haven/messages';
import type { Logger, Metrics } from '@haven/runtime';
import type { BlobStorage } from '@haven/storage';
import { BlobController } from './blob/blob.controller.js';
import { ExpiringCache } from './cache/expiring-cache.js';
import { forgetOnBroadcast } from './cache/forget-on-broadcast.js';
import { LiveConfiguration } from './configuration/live-configuration.js';
import { ManifestCache } from './manifest/manifest-cache.js';
import { ManifestPush } from './manifest/manifest-push.js';
import { ManifestController } from './manifest/manifest.controller.js';
import { PullRecorder } from './pull/pull-recorder.js';
import { ReferrerController } from './referrer/referrer.controller.js';
import { Dispatcher } from './server/dispatcher.js';
import { RegistryServer } from './server/registry-server.js';
import { routeTable } from './server/route-table.js';
import type { RegistrySettings } from './settings.js';
import { TagController } from './tag/tag.controller.js';
import { AccessWatch } from './token/access-watch.js';
import { Authorizer } from './token/authorizer.js';
import { readPublicKeys } from './token/signing-key.store.js';
import { UploadController } from './upload/upload.controller.js';
import { UploadService } from './upload/upload.service.js';

/** What the registry stands on; opened and closed by whoever makes it. */
export interface RegistryParts {
  readonly settings: Pick<RegistrySettings, 'HAVEN_LISTEN' | 'HAVEN_EXTERNAL_URL' | 'HAVEN_TRUSTED_PROXIES' | 'HAVEN_STORAGE'>;
  readonly database: Database;
  readonly storage: BlobStorage;
  readonly broadcasts: Broadcasts;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const BLOB_MS = 10_000;
const MOST_BLOBS = 50_000;

/** The registry service: everything behind /v2/, wired together. */
export class Registry {
  readonly #parts: RegistryParts;
  readonly #server: RegistryServer;
  readonly #pulls: PullRecorder;
  readonly #access: AccessWatch;
  readonly #configuration: LiveConfiguration;
  readonly #caches: { readonly manifests: ManifestCache; readonly blobs: ExpiringCache<BlobInRepository> };
  #stopListening: (() => void) | undefined;

  constructor(parts: RegistryParts) {
    const { settings, database, storage, broadcasts, logger, metrics } = parts;
    const catalog = new Catalog(database, logger);
    const epochs = new AccessEpochs();
    this.#parts = parts;
    this.#caches = {
      manifests: new ManifestCache({ catalog, storage }),
      blobs: new ExpiringCache<BlobInRepository>({ milliseconds: BLOB_MS, most: MOST_BLOBS }),
    };
    this.#configuration = new LiveConfiguration({ database, broadcasts });
    this.#pulls = new PullRecorder({ catalog, configuration: this.#configuration, logger });
    this.#access = new AccessWatch({ database, epochs, broadcasts, logger });
    const blobs = new BlobController({ catalog, storage, known: this.#caches.blobs, storageRoot: fileRoot(settings.HAVEN_STORAGE) });
    const push = new ManifestPush({ catalog, storage, findBlob: (repository, digest) => blobs.find(repository, digest) });
    const routes = routeTable({
      blobs,
      uploads: new UploadController({ catalog, uploads: new UploadService({ catalog, storage }) }),
      manifests: new ManifestController({ catalog, cache: this.#caches.manifests, pulls: this.#pulls, push, broadcasts, knownBlobs: this.#caches.blobs }),
      tags: new TagController({ catalog }),
      referrers: new ReferrerController({ catalog }),
    });
    const verifier = new RegistryTokenVerifier(() => readPublicKeys(database));
    const options = { externalUrl: settings.HAVEN_EXTERNAL_URL, trustedProxies: settings.HAVEN_TRUSTED_PROXIES };
    this.#server = new RegistryServer(new Dispatcher({ routes, authorizer: new Authorizer({ verifier, epochs, watch: this.#access, options }), configuration: this.#configuration, logger, metrics, trustedProxies: settings.HAVEN_TRUSTED_PROXIES }));
  }

  /** Reads what must be known before the first request: who was revoked. May be repeated. */
  prepare(): Promise<void> {
    return this.#access.refresh();
  }

  /** Resolves to the port once requests are answered. */
  async listen(): Promise<{ readonly port: number }> {
    this.#stopListening = forgetOnBroadcast(this.#parts.broadcasts, this.#caches);
    this.#access.start();
    this.#configuration.start();
    this.#pulls.start();
    return this.#server.listen(this.#parts.settings.HAVEN_LISTEN);
  }

  async stop(): Promise<void> {
    await this.#server.close();
    this.#access.stop();
    this.#stopListening?.();
    await this.#pulls.stop();
    this.#configuration.stop();
  }
}

function fileRoot(storage: string): string | undefined {
  return storage.startsWith('file://') ? decodeURIComponent(new URL(storage).pathname) : undefined;
}
