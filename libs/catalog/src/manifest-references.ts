import type { Descriptor, Digest, Manifest } from '@haven/oci';
import { isForeignLayer } from '@haven/oci';
import type { Transaction } from '@haven/database';
import { recallBlobs } from './blob-links.js';
import { CatalogError } from './catalog-error.js';
import { isLost } from './lost.js';
import type { OpenRepository } from './repositories.js';

export interface CheckedReferences {
  /** Bytes of all that is named, with everything that is named in turn; indexes of indexes may make it larger than any integer. */
  readonly size: number;
  /** What the repository does not hold; never more than the project allows. */
  readonly missing: readonly Digest[];
}

/**
 * Checks that the repository holds everything a manifest names and keeps those rows from garbage collection until the
 * transaction ends. An index entry may be a manifest or, as BuildKit's cache export writes them, a plain blob.
 * Rejects with 'references-missing', unless the project allows sparse manifests, or 'size-mismatch'.
 */
export async function checkReferences(transaction: Transaction, repository: OpenRepository, manifest: Manifest): Promise<CheckedReferences> {
  const named = namedContent(manifest);
  if (named.length === 0) return { size: 0, missing: [] };
  const manifests = manifest.children.length > 0 ? await heldManifests(transaction, repository.id, manifest.children) : new Map<string, HeldSize>();
  const blobs = await heldBlobs(transaction, repository.id, named.filter((descriptor) => !manifests.has(descriptor.digest)));
  const absent = named.filter((descriptor) => !manifests.has(descriptor.digest) && !blobs.has(descriptor.digest));
  if (absent.length > 0) for (const { digest, size } of await recallBlobs(transaction, repository.id, absent.map((descriptor) => descriptor.digest))) blobs.set(digest, { own: size, total: size });
  const missing = absent.filter((descriptor) => !blobs.has(descriptor.digest));
  if (missing.length > 0 && !repository.allowsSparseManifests) throw missingReferences(repository.name, missing);
  const sizes = new Map([...blobs, ...manifests]);
  const wrong = everyMention(manifest).filter((descriptor) => sizes.has(descriptor.digest) && sizes.get(descriptor.digest)?.own !== descriptor.size);
  if (wrong.length > 0) throw wrongSizes(wrong);
  return { size: named.reduce((sum, descriptor) => sum + (sizes.get(descriptor.digest)?.total ?? 0), 0), missing: missing.map((descriptor) => descriptor.digest) };
}

/** What a manifest names and its repository must hold, each once: config, layers that are not kept elsewhere, children. */
export function namedContent(manifest: Manifest): Descriptor[] {
  return [...new Map(everyMention(manifest).map((descriptor) => [descriptor.digest as string, descriptor])).values()];
}

/** What is named twice may be given another size the second time. */
function everyMention(manifest: Manifest): Descriptor[] {
  const config = manifest.config ? [manifest.config] : [];
  return [...config, ...manifest.layers.filter((layer) => !isForeignLayer(layer)), ...manifest.children];
}

interface HeldSize {
  /** Bytes of the blob itself. */
  readonly own: number;
  /** With everything it names in turn. */
  readonly total: number;
}

interface SizeRow {
  readonly digest: string;
  readonly own: string;
  readonly total: string;
}

// Links, too, are locked, or the deletion of another artifact could take them away before this manifest is seen to name them.
// Rows are locked in one order everywhere, so that two pushes of the same content never wait for each other in a circle.
async function heldManifests(transaction: Transaction, repositoryId: string, children: readonly Descriptor[]): Promise<Map<string, HeldSize>> {
  const rows = await transaction.query<SizeRow>(
    `SELECT digest, size AS own, total_size AS total FROM manifest
     WHERE repository_id = $1 AND digest = ANY($2) AND deleted_at IS NULL AND NOT ${isLost('manifest.digest')}
     ORDER BY digest FOR KEY SHARE`,
    [repositoryId, children.map((child) => child.digest)],
  );
  return sizesOf(rows);
}

async function heldBlobs(transaction: Transaction, repositoryId: string, descriptors: readonly Descriptor[]): Promise<Map<string, HeldSize>> {
  if (descriptors.length === 0) return new Map();
  const rows = await transaction.query<SizeRow>(
    `SELECT b.digest, b.size AS own, b.size AS total FROM repository_blob rb JOIN blob b ON b.digest = rb.digest
     WHERE rb.repository_id = $1 AND rb.digest = ANY($2) AND b.state = 'present' ORDER BY b.digest FOR KEY SHARE OF rb, b`,
    [repositoryId, descriptors.map((descriptor) => descriptor.digest)],
  );
  return sizesOf(rows);
}

function sizesOf(rows: readonly SizeRow[]): Map<string, HeldSize> {
  return new Map(rows.map((row) => [row.digest, { own: Number(row.own), total: Number(row.total) }]));
}

function missingReferences(repository: string, missing: readonly Descriptor[]): CatalogError {
  return new CatalogError('references-missing', `${repository} does not hold everything that the manifest names; push it first`, missing.map((descriptor) => descriptor.digest));
}

function wrongSizes(wrong: readonly Descriptor[]): CatalogError {
  return new CatalogError('size-mismatch', 'a descriptor states another size than the content has', wrong.map((descriptor) => descriptor.digest));
}
