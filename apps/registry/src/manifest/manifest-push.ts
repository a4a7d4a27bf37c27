import type { BlobInRepository, Catalog, ManifestReference } from '@haven/catalog';
import { digestAlgorithm, digestOf, isTag, MAX_MANIFEST_BYTES, OciError, parseManifest, type Descriptor, type Digest, type Manifest } from '@haven/oci';
import type { BlobStorage } from '@haven/storage';
import type { Exchange } from '../server/exchange.js';
import { BodyBudget, readBody } from '../server/request-body.js';
import { projectFor } from '../token/project-for.js';

type ManifestExchange = Exchange<{ kind: 'manifest'; repository: string; reference: ManifestReference }>;

export interface PushedManifest {
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** Those of the tags that came as ?tag= parameters. */
  readonly tagParameters: readonly string[];
  readonly subject: Digest | undefined;
  /** What it names and the repository does not hold; only where the project allows that. */
  readonly missing: readonly Digest[];
}

/** Config blobs up to this size are looked into for the artifact's attributes. */
const LARGEST_CONFIG = 4 * 1024 * 1024;
const MOST_TAG_PARAMETERS = 100;
/** Bytes of manifests that are being received, all together and those of one account, without what each may have anyway. */
const RECEIVING = { bytes: 64 * 1024 * 1024, share: 16 * 1024 * 1024, mostHeldMs: 120_000 };

/** Takes a manifest in: reads and checks it, stores its bytes, and then lets the catalog make it part of its repository. */
export class ManifestPush {
  readonly #catalog: Catalog;
  readonly #storage: BlobStorage;
  readonly #findBlob: (repository: string, digest: Digest) => Promise<BlobInRepository | undefined>;
  readonly #budget = new BodyBudget(RECEIVING);

  constructor(parts: { readonly catalog: Catalog; readonly storage: BlobStorage; readonly findBlob: (repository: string, digest: Digest) => Promise<BlobInRepository | undefined> }) {
    this.#catalog = parts.catalog;
    this.#storage = parts.storage;
    this.#findBlob = parts.findBlob;
  }

  async receive(exchange: ManifestExchange): Promise<PushedManifest> {
    const { repository, reference } = exchange.route;
    const tagParameters = tagsAskedFor(exchange.query);
    const encoding = exchange.header('content-encoding');
    if (encoding !== undefined && encoding !== 'identity') throw new OciError('UNSUPPORTED', { status: 415, message: 'Send the manifest without Content-Encoding.' });
    const bytes = await readBody(exchange.request, { most: MAX_MANIFEST_BYTES, what: 'A manifest', from: { budget: this.#budget, client: exchange.actor } });
    const digest = digestFor(reference, bytes);
    const manifest = parseManifest(bytes, exchange.header('content-type'));
    const tags = [...new Set('tag' in reference ? [reference.tag, ...tagParameters] : tagParameters)];
    const config = await this.#config(repository, manifest);
    await this.#catalog.claimBlob(digest);
    await this.#storage.put(digest, bytes);
    const { missing } = await this.#catalog.putManifest({
      repository, projectId: projectFor(exchange.claims, repository), actor: exchange.actor,
      digest, manifest, size: bytes.length, tags, ...(config ? { config } : {}),
    });
    return { digest, tags, tagParameters, subject: manifest.subject?.digest, missing };
  }

  /** Only what the repository holds, or gave up so late that the push will link it again, is read: a digest in a manifest must not open other repositories' blobs. */
  async #config(repository: string, manifest: Manifest): Promise<Buffer | undefined> {
    if (!manifest.config || !mayHoldAttributes(manifest.config)) return undefined;
    const size = (await this.#findBlob(repository, manifest.config.digest))?.size ?? (await this.#catalog.findRecallableBlob(repository, manifest.config.digest));
    if (size === undefined || size > LARGEST_CONFIG) return undefined;
    return this.#storage.readAll(manifest.config.digest, LARGEST_CONFIG);
  }
}

function mayHoldAttributes(config: Descriptor): boolean {
  return config.mediaType.endsWith('+json') && config.size > 2 && config.size <= LARGEST_CONFIG;
}

function digestFor(reference: ManifestReference, bytes: Buffer): Digest {
  if ('tag' in reference) return digestOf(bytes);
  const found = digestOf(bytes, digestAlgorithm(reference.digest));
  if (found === reference.digest) return found;
  throw new OciError('DIGEST_INVALID', { message: `The manifest has digest ${found}, not ${reference.digest}.`, detail: { received: found } });
}

/** OCI Distribution, "Pushing Manifests": a push by digest may name tags as query parameters. */
function tagsAskedFor(query: URLSearchParams): string[] {
  const tags = query.getAll('tag');
  if (tags.length > MOST_TAG_PARAMETERS) throw new OciError('UNSUPPORTED', { status: 414, message: `At most ${MOST_TAG_PARAMETERS} tags can be given at once.` });
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined) throw new OciError('TAG_INVALID');
  return tags;
}
