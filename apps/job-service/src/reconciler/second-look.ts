import type { Catalog } from '@haven/catalog';
import { parseDigest, type Digest } from '@haven/oci';
import { StorageError } from '@haven/storage';
import type { CatalogBlob, ComparedStorage, Finding, FindingDetails, FindingKind } from './finding.js';
import { eachOf, hashBlob, type HashedBlob } from './hash-blob.js';
import type { ReconciliationStore } from './reconciliation.store.js';

export interface SecondLookParts {
  readonly store: ReconciliationStore;
  readonly storage: ComparedStorage;
  readonly catalog: Pick<Catalog, 'uploadsInStorage'>;
}

export interface SecondLookWanted {
  readonly execution: number;
  readonly reclaim: boolean;
  /** Called between steps; may throw to end it. */
  readonly check: () => void;
}

/** A blob that was looked up in storage, with its row before and after that. */
interface Sight {
  readonly digest: Digest;
  readonly size: number | undefined;
  readonly hashed: HashedBlob | undefined;
  readonly before: CatalogBlob | undefined;
  readonly after: CatalogBlob | undefined;
}

const AT_ONCE = 8;
const NEEDED: ReadonlySet<FindingKind> = new Set(['missing', 'wrong-size', 'corrupted']);
const OTHER_BYTES = 'its bytes are not what its name says, so the catalog cannot be told of it; remove it by hand while nobody pushes';

/**
 * Looks again at what the comparison suspected, now that pushes and deletions of that moment have ended, and does away
 * with what nobody needs.
 *
 * A row that is there before and after the look at storage, present and made at the same moment, was present all the time
 * between: garbage collection marks a row before it deletes bytes, and a new row has another moment. So what such a row
 * lacks is missing indeed. An orphan has no row before and after, and what a push is just about to give a row is either
 * younger than the grace time, or was an orphan before the push; for those, adoptBlob says why handing them over is safe.
 * An upload's bytes are only ever used by the session that names them; one that is older than the grace time and has
 * none will get none, because sessions are made before their bytes.
 */
export class SecondLook {
  readonly #parts: SecondLookParts;
  readonly #wanted: SecondLookWanted;

  constructor(parts: SecondLookParts, wanted: SecondLookWanted) {
    this.#parts = parts;
    this.#wanted = wanted;
  }

  async run(findings: readonly Finding[]): Promise<void> {
    const { store, catalog } = this.#parts;
    const sights = await this.#see(findings);
    const used = await catalog.uploadsInStorage(findings.filter(({ kind }) => kind === 'stale-upload').map(({ name }) => name));
    const still = findings.filter((finding) => isStillSo(finding, sights.get(finding.name), used));
    const needs = await store.needs(still.filter(({ kind }) => NEEDED.has(kind)).map(digestOfFinding));
    const kept = new Set(still);
    for (const finding of findings) if (!kept.has(finding)) await store.drop(this.#wanted.execution, finding);
    await eachOf(still, AT_ONCE, (finding) => this.#settle(finding, sights.get(finding.name)?.size, needs.get(finding.name as Digest)));
  }

  async #see(findings: readonly Finding[]): Promise<ReadonlyMap<string, Sight>> {
    const { store, storage } = this.#parts;
    const blobs = findings.filter(({ kind }) => kind !== 'stale-upload' && kind !== 'stale-commit').map((finding) => ({ digest: digestOfFinding(finding), kind: finding.kind }));
    const digests = blobs.map(({ digest }) => digest);
    const before = await store.blobsOf(digests);
    const seen = await eachOf(blobs, AT_ONCE, async ({ digest, kind }) => {
      this.#wanted.check();
      const size = (await storage.stat(digest))?.size;
      return { digest, size, hashed: kind === 'corrupted' ? await hashBlob(storage, digest, this.#wanted.check) : undefined };
    });
    const after = await store.blobsOf(digests);
    return new Map(seen.map((sight) => [sight.digest, { ...sight, before: before.get(sight.digest), after: after.get(sight.digest) }]));
  }

  async #settle(finding: Finding, size: number | undefined, needs: FindingDetails = {}): Promise<void> {
    this.#wanted.check();
    const { execution, reclaim } = this.#wanted;
    const known = { ...finding, size: size ?? finding.size, details: { ...finding.details, ...needs } };
    if (!reclaim || NEEDED.has(finding.kind)) return this.#parts.store.confirm(execution, known, '');
    try {
      await this.#reclaim(known);
    } catch (error) {
      if (!(error instanceof StorageError && error.kind === 'broken')) throw error;
      await this.#keep(known, error.message);
    }
  }

  async #reclaim(finding: Finding): Promise<void> {
    const { store, storage, catalog } = this.#parts;
    const { execution } = this.#wanted;
    if (finding.kind === 'orphan') return this.#handOver(finding);
    if (finding.kind === 'stale-upload') {
      // Once more, as late as can be.
      if ((await catalog.uploadsInStorage([finding.name])).size > 0) return store.drop(execution, finding);
      await storage.abort({ id: finding.name, received: 0 });
    } else {
      const [, id = ''] = finding.name.split(' ');
      await storage.dropCommit({ digest: digestOfFinding(finding), id, startedAt: new Date(finding.details.since ?? 0) });
    }
    await store.confirm(execution, finding, 'removed');
  }

  /** Read first: the row will say how large the blob is, which a push believes, and only the digest can vouch for that. */
  async #handOver(finding: Finding): Promise<void> {
    const { store, storage } = this.#parts;
    const { execution, check } = this.#wanted;
    const digest = digestOfFinding(finding);
    const hashed = await hashBlob(storage, digest, check);
    if (hashed === 'missing') return store.drop(execution, finding);
    if (hashed !== 'sound') return this.#keep(finding, OTHER_BYTES);
    if (!(await store.handOver(execution, finding, digest, finding.size ?? 0))) await store.drop(execution, finding);
  }

  #keep(finding: Finding, reason: string): Promise<void> {
    return this.#parts.store.confirm(this.#wanted.execution, { ...finding, details: { ...finding.details, reason } }, 'kept');
  }
}

/** The digest that a finding about a blob or a commit names. */
export function digestOfFinding({ name }: Finding): Digest {
  const digest = parseDigest(name.split(' ')[0] ?? '');
  if (digest === undefined) throw new Error(`${name} is the name of no blob`);
  return digest;
}

function isStillSo({ kind, name }: Finding, sight: Sight | undefined, used: ReadonlySet<string>): boolean {
  if (kind === 'stale-commit') return true;
  if (kind === 'stale-upload') return !used.has(name);
  if (sight === undefined) return false;
  const { size, hashed, before, after } = sight;
  if (kind === 'orphan') return before === undefined && after === undefined && size !== undefined;
  if (before?.state !== 'present' || after?.state !== 'present' || before.createdAt !== after.createdAt) return false;
  if (kind === 'missing') return size === undefined;
  if (kind === 'wrong-size') return size !== undefined && size !== after.size;
  return size === after.size && (hashed === 'other-bytes' || hashed === 'unreadable');
}
