import type { Catalog, ManifestReference, StoredManifest } from '@haven/catalog';
import { MAX_MANIFEST_BYTES, type Digest } from '@haven/oci';
import type { BlobStorage } from '@haven/storage';
import { ByteCache } from '../cache/byte-cache.js';
import { ExpiringCache } from '../cache/expiring-cache.js';

/** A broadcast empties these at once; the time bounds the damage when one is lost. */
const TAG_MS = 2_000;
const MANIFEST_MS = 10_000;
const MOST_ENTRIES = 20_000;
const CONTENT_BYTES = 32 * 1024 * 1024;

/** Manifests by tag and digest as this process last saw them, and their bytes. */
export class ManifestCache {
  readonly #catalog: Catalog;
  readonly #storage: BlobStorage;
  readonly #tags = new ExpiringCache<StoredManifest>({ milliseconds: TAG_MS, most: MOST_ENTRIES });
  readonly #manifests = new ExpiringCache<StoredManifest>({ milliseconds: MANIFEST_MS, most: MOST_ENTRIES });
  readonly #contents = new ByteCache(CONTENT_BYTES);

  constructor(parts: { readonly catalog: Catalog; readonly storage: BlobStorage }) {
    this.#catalog = parts.catalog;
    this.#storage = parts.storage;
  }

  /** What is known without asking anybody. */
  peek(repository: string, reference: ManifestReference): StoredManifest | undefined {
    return 'tag' in reference ? this.#tags.get(tagKey(repository, reference.tag)) : this.#manifests.get(digestKey(repository, reference.digest));
  }

  find(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    const read = (): Promise<StoredManifest | undefined> => this.#catalog.findManifest(repository, reference);
    return 'tag' in reference ? this.#tags.load(tagKey(repository, reference.tag), read) : this.#manifests.load(digestKey(repository, reference.digest), read);
  }

  peekContent(digest: Digest): Buffer | undefined {
    return this.#contents.get(digest);
  }

  /** A manifest's bytes. Storage has compared them with the digest: bit rot is never served, and never kept. */
  async content(digest: Digest): Promise<Buffer> {
    const kept = this.#contents.get(digest);
    if (kept) return kept;
    const bytes = await this.#storage.readAll(digest, MAX_MANIFEST_BYTES);
    this.#contents.set(digest, bytes);
    return bytes;
  }

  forgetTag(repository: string, tag: string): void {
    this.#tags.forget(tagKey(repository, tag));
  }

  forgetManifest(repository: string, digest: string): void {
    this.#manifests.forget(digestKey(repository, digest));
  }

  /** Forgets every name; contents are immutable and stay. */
  clear(): void {
    this.#tags.clear();
    this.#manifests.clear();
  }
}

function tagKey(repository: string, tag: string): string {
  return `${repository}:${tag}`;
}

function digestKey(repository: string, digest: string): string {
  return `${repository}@${digest}`;
}
