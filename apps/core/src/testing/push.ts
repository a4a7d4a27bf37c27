import { Catalog } from '@haven/catalog';
import type { Database } from '@haven/database';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import type { BlobStorage } from '@haven/storage';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

interface Content {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Any artifact, made of these parts. */
export interface ArtifactToPush {
  readonly config: Content;
  readonly layers: readonly Content[];
  readonly artifactType?: string;
  readonly tags?: readonly string[];
}

/** Pushes small artifacts straight into the catalog, as the registry would. */
export class Pusher {
  readonly #catalog: Catalog;

  /** @param storage where the bytes of `artifact` go; nowhere when left out */
  constructor(database: Database, private readonly projectId: number, private readonly storage?: BlobStorage) {
    this.#catalog = new Catalog(database, new FakeLogger());
  }

  /** An image whose only layer holds `content`; resolves to its descriptor. */
  async image(repository: string, content: string, tags: readonly string[] = [], extra: object = {}): Promise<Descriptor> {
    const configBytes = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', created: '2026-01-01T00:00:00Z', content }));
    const config = await this.#blob(repository, configBytes, OCI_IMAGE_CONFIG);
    const layer = await this.#blob(repository, Buffer.from(content), 'application/vnd.oci.image.layer.v1.tar');
    return this.#manifest(repository, { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config, layers: [layer], ...extra }, tags, configBytes);
  }

  /** An image with this config; resolves to its manifest, whose bytes (like those of the config) are not in storage. */
  async imageWithConfig(repository: string, content: object, tags: readonly string[]): Promise<{ readonly digest: Digest; readonly document: { readonly config: Descriptor } }> {
    const config = await this.#blob(repository, Buffer.from(JSON.stringify(content)), OCI_IMAGE_CONFIG);
    const document = { schemaVersion: 2 as const, mediaType: OCI_IMAGE_MANIFEST, config, layers: [] };
    const { digest } = await this.#manifest(repository, document, tags, Buffer.from(JSON.stringify(content)));
    return { digest, document };
  }

  /** Any artifact, with its bytes in storage. */
  async artifact(repository: string, { config, layers, artifactType, tags = [] }: ArtifactToPush): Promise<Descriptor> {
    const document = {
      schemaVersion: 2 as const, mediaType: OCI_IMAGE_MANIFEST, ...(artifactType === undefined ? {} : { artifactType }),
      config: await this.#content(repository, config), layers: await Promise.all(layers.map((layer) => this.#content(repository, layer))),
    };
    const bytes = Buffer.from(JSON.stringify(document));
    await this.storage?.put(digestOf(bytes), bytes);
    return this.#manifest(repository, document, tags, config.bytes);
  }

  async #content(repository: string, { mediaType, bytes, annotations }: Content): Promise<Descriptor> {
    await this.storage?.put(digestOf(bytes), bytes);
    return { ...(await this.#blob(repository, bytes, mediaType)), ...(annotations === undefined ? {} : { annotations }) };
  }

  async index(repository: string, manifests: readonly Descriptor[], tags: readonly string[] = []): Promise<Descriptor> {
    const entries = manifests.map((entry) => ({ ...entry, platform: { architecture: 'amd64', os: 'linux' } }));
    return this.#manifest(repository, { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: entries }, tags);
  }

  async #blob(repository: string, bytes: Buffer, mediaType: string): Promise<Descriptor> {
    const digest = digestOf(bytes);
    await this.#catalog.addBlob({ repository, projectId: this.projectId, actor: 'user:1', digest, size: bytes.length });
    return { mediaType, digest, size: bytes.length };
  }

  async #manifest(repository: string, document: { readonly schemaVersion: 2; readonly mediaType: string; readonly [field: string]: unknown }, tags: readonly string[], config?: Buffer): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    await this.#catalog.putManifest({
      repository, projectId: this.projectId, actor: 'user:1', digest, manifest: parseManifest(bytes, undefined), size: bytes.length, tags, ...(config ? { config } : {}),
    });
    return { mediaType: document.mediaType, digest, size: bytes.length };
  }
}
