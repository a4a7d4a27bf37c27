import type { OutgoingHttpHeaders } from 'node:http';
import type { BlobInRepository, Catalog, ManifestReference, StoredManifest } from '@haven/catalog';
import { OciError } from '@haven/oci';
import type { Broadcasts } from '@haven/messages';
import { matches } from '../blob/blob.controller.js';
import type { ExpiringCache } from '../cache/expiring-cache.js';
import type { PullRecorder } from '../pull/pull-recorder.js';
import type { Exchange } from '../server/exchange.js';
import { warning } from '../server/warning.js';
import type { ManifestCache } from './manifest-cache.js';
import type { ManifestPush } from './manifest-push.js';

type ManifestExchange = Exchange<{ kind: 'manifest'; repository: string; reference: ManifestReference }>;

/** HTTP in and out of manifests (OCI Distribution 1.1, "Pulling manifests", "Pushing Manifests", "Deleting Manifests"). */
export class ManifestController {
  readonly #catalog: Catalog;
  readonly #cache: ManifestCache;
  readonly #pulls: PullRecorder;
  readonly #push: ManifestPush;
  readonly #broadcasts: Broadcasts;
  readonly #knownBlobs: ExpiringCache<BlobInRepository>;

  constructor(parts: {
    readonly catalog: Catalog; readonly cache: ManifestCache; readonly pulls: PullRecorder; readonly push: ManifestPush; readonly broadcasts: Broadcasts;
    readonly knownBlobs: ExpiringCache<BlobInRepository>;
  }) {
    this.#knownBlobs = parts.knownBlobs;
    this.#catalog = parts.catalog;
    this.#cache = parts.cache;
    this.#pulls = parts.pulls;
    this.#push = parts.push;
    this.#broadcasts = parts.broadcasts;
  }

  /** GET and HEAD. What is in memory is answered without a turn of the event loop. */
  get(exchange: ManifestExchange): void | Promise<void> {
    const { repository, reference } = exchange.route;
    const manifest = this.#cache.peek(repository, reference);
    const content = manifest && this.#cache.peekContent(manifest.digest);
    if (!manifest || !content) return this.#read(exchange);
    this.#answer(exchange, manifest, content);
  }

  async put(exchange: ManifestExchange): Promise<void> {
    const pushed = await this.#push.receive(exchange);
    const { repository } = exchange.route;
    this.#cache.forgetManifest(repository, pushed.digest);
    for (const tag of pushed.tags) this.#forgetTag(repository, tag);
    const headers: OutgoingHttpHeaders = { location: `/v2/${repository}/manifests/${pushed.digest}`, 'docker-content-digest': pushed.digest };
    if (pushed.subject !== undefined) headers['oci-subject'] = pushed.subject;
    if (pushed.tagParameters.length > 0) headers['oci-tag'] = pushed.tagParameters.join(', ');
    if (pushed.missing.length > 0) headers['warning'] = warning(`${repository} does not hold everything that this manifest names, such as ${pushed.missing[0]}`);
    exchange.send(201, headers);
  }

  /** By tag the tag goes and the manifest stays; by digest the manifest goes with all its tags. */
  async delete(exchange: ManifestExchange): Promise<void> {
    const { repository, reference } = exchange.route;
    if ('tag' in reference) {
      await this.#catalog.deleteTag({ repository, tag: reference.tag, actor: exchange.actor });
      this.#forgetTag(repository, reference.tag);
    } else {
      await this.#catalog.deleteArtifact({ repository, digest: reference.digest, actor: exchange.actor, cascade: false });
      this.#cache.clear();
      this.#knownBlobs.clear();
      this.#broadcasts.publish('manifest-deleted', { repository, digest: reference.digest });
    }
    exchange.send(202, {});
  }

  async #read(exchange: ManifestExchange): Promise<void> {
    const { repository, reference } = exchange.route;
    const manifest = await this.#cache.find(repository, reference);
    if (!manifest) throw new OciError('MANIFEST_UNKNOWN', { message: `${repository} has no manifest ${'tag' in reference ? reference.tag : reference.digest}.` });
    this.#answer(exchange, manifest, await this.#cache.content(manifest.digest));
  }

  #answer(exchange: ManifestExchange, manifest: StoredManifest, content: Buffer): void {
    const etag = `"${manifest.digest}"`;
    const headers: OutgoingHttpHeaders = { 'docker-content-digest': manifest.digest, etag };
    if (matches(exchange.header('if-none-match'), etag)) {
      exchange.send(304, headers);
      return;
    }
    headers['content-type'] = manifest.mediaType;
    headers['content-length'] = content.length;
    exchange.send(200, headers, content);
    if (exchange.isHead) return;
    this.#pulls.record(exchange, manifest);
  }

  #forgetTag(repository: string, tag: string): void {
    this.#cache.forgetTag(repository, tag);
    this.#broadcasts.publish('tag-changed', { repository, tag });
  }
}
