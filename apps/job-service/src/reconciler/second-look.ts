import type { Catalog } from '@haven/catalog';
import { parseDigest, type Digest } from '@haven/oci';
import { StorageError, type FoundBlob } from '@haven/storage';
import { LACKING_KINDS, type CatalogBlob, type ComparedStorage, type Finding, type FindingDetails } from './finding.js';
import { eachOf, hashBlob, within, type HashedBlob } from './hash-blob.js';
import type { ReconciliationStore } from './reconciliation.store.js';

export interface SecondLookParts {
  readonly store: ReconciliationStore;
  readonly storage: ComparedStorage;
  readonly catalog: Pick<Catalog, 'uploadsInStorage'>;
}

export interface SecondLookWanted {
  readonly execution: number;
  readonly reclaim: boolean;
  /** Whether blobs that lack their bytes are marked as lost. */
  readonly marks: boolean;
  /** Whether lost blobs whose bytes are back are marked as present. */
  readonly restores: boolean;
  /** Called between steps; may throw to end it. */
  readonly check: () => void;
}

/** A blob that was looked up in storage, with its row before and after that. */
interface Sight {
  readonly digest: Digest;
  /** As it was before its bytes were read. */
  readonly found: FoundBlob | undefined;
  readonly hashed: HashedBlob | undefined;
  readonly before: CatalogBlob | undefined;
  readonly after: CatalogBlob | undefined;
}

const AT_ONCE = 8;
/** Each of these holds a connection to the database while storage is asked, of the few that all work of this process shares. */
const MARKED_AT_ONCE = 2;
/** Blobs with which nothing was wrong and that storage is asked for before any is marked as lost. */
const WITNESSES = 16;
/** Pushes of a blob wait for as long, so it is a fraction of what a client waits for. */
const LOCKED_LOOK_MS = 10_000;
const OTHER_BYTES = 'its bytes are not what its name says, so the catalog cannot be told of it; remove it by hand while nobody pushes';

/**
 * Looks again at what the comparison suspected, now that pushes and deletions of that moment have ended, and does away
 * with what nobody needs.
 *
 * A row that is there before and after the look at storage, not being deleted and made at the same moment, was there all the
 * time between: garbage collection marks a row before it deletes bytes, and a new row has another moment. So what such a row
 * lacks is missing indeed. An orphan has no row before and after, and what a push is just about to give a row is either
 * younger than the grace time, or was an orphan before the push; for those, adoptBlob says why handing them over is safe.
 * An upload's bytes are only ever used by the session that names them; one that is older than the grace time and has
 * none will get none, because sessions are made before their bytes.
 *
 * What lacks its bytes is marked as lost while its row is locked and storage still shows what was judged, in one transaction
 * with its finding: see loseBlob for why no push is robbed. After a kill the finding is there and the blob marked, or
 * neither is, and then both are looked at again.
 */
export class SecondLook {
  readonly #parts: SecondLookParts;
  readonly #wanted: SecondLookWanted;

  constructor(parts: SecondLookParts, wanted: SecondLookWanted) {
    this.#parts = parts;
    this.#wanted = wanted;
  }

  /** Resolves to whether blobs were marked as lost. */
  async run(findings: readonly Finding[]): Promise<boolean> {
    const { store, catalog } = this.#parts;
    const sights = await this.#see(findings);
    const used = await catalog.uploadsInStorage(findings.filter(({ kind }) => kind === 'stale-upload').map(({ name }) => name));
    const still = findings.filter((finding) => isStillSo(finding, sights.get(finding.name), used));
    const needs = await store.needs(still.filter(({ kind }) => LACKING_KINDS.has(kind)).map(digestOfFinding));
    const kept = new Set(still);
    for (const finding of findings) if (!kept.has(finding)) await store.drop(this.#wanted.execution, finding);
    const marked = new Set(this.#wanted.marks ? still.filter(({ kind, name }) => LACKING_KINDS.has(kind) && sights.get(name)?.after?.state === 'present') : []);
    if (marked.size > 0) await this.#requireWitness();
    const settle = (finding: Finding): Promise<void> => this.#settle(finding, sights.get(finding.name), needs.get(finding.name as Digest));
    await eachOf(still.filter((finding) => !marked.has(finding)), AT_ONCE, settle);
    await eachOf([...marked], MARKED_AT_ONCE, settle);
    return marked.size > 0;
  }

  async #see(findings: readonly Finding[]): Promise<ReadonlyMap<string, Sight>> {
    const { store, storage } = this.#parts;
    const blobs = findings.filter(({ kind }) => kind !== 'stale-upload' && kind !== 'stale-commit').map((finding) => ({ digest: digestOfFinding(finding), kind: finding.kind }));
    const digests = blobs.map(({ digest }) => digest);
    const before = await store.blobsOf(digests);
    const seen = await eachOf(blobs, AT_ONCE, async ({ digest, kind }) => {
      this.#wanted.check();
      const found = await storage.stat(digest);
      return { digest, found, hashed: kind === 'corrupted' || kind === 'returned' ? await hashBlob(storage, digest, this.#wanted.check) : undefined };
    });
    const after = await store.blobsOf(digests);
    return new Map(seen.map((sight) => [sight.digest, { ...sight, before: before.get(sight.digest), after: after.get(sight.digest) }]));
  }

  /** Storage that went away while it was compared would be without everything; what it lacks then says nothing. */
  async #requireWitness(): Promise<void> {
    const { store, storage } = this.#parts;
    const witnesses = await store.unsuspected(this.#wanted.execution, WITNESSES);
    const found = await eachOf(witnesses, AT_ONCE, (digest) => storage.stat(digest));
    if (witnesses.length > 0 && found.every((blob) => blob === undefined)) {
      throw new StorageError('unavailable', `Storage shows none of ${witnesses.length} blobs with which nothing was wrong; see whether it is mounted.`);
    }
  }

  async #settle(finding: Finding, sight: Sight | undefined, needs: FindingDetails = {}): Promise<void> {
    this.#wanted.check();
    const { execution, reclaim } = this.#wanted;
    const known = { ...finding, size: sight?.found?.size ?? finding.size, details: { ...finding.details, ...needs } };
    if (sight?.after !== undefined) return this.#tellCatalog(known, sight, sight.after);
    if (!reclaim) return this.#parts.store.confirm(execution, known, '');
    try {
      await this.#reclaim(known);
    } catch (error) {
      if (!(error instanceof StorageError && error.kind === 'broken')) throw error;
      await this.#keep(known, error.message);
    }
  }

  /** That a blob which it has lacks its bytes, or has them again. */
  async #tellCatalog(finding: Finding, { found }: Sight, blob: CatalogBlob): Promise<void> {
    const { store } = this.#parts;
    const { execution, marks, restores } = this.#wanted;
    const lacking = LACKING_KINDS.has(finding.kind);
    if (lacking && blob.state === 'lost') return store.confirm(execution, finding, 'marked');
    if (!(lacking ? marks : restores)) return store.confirm(execution, finding, '');
    const told = await (lacking ? store.lose(execution, finding, blob, () => this.#showsStill(blob.digest, found)) : store.regain(execution, finding, blob));
    if (!told) await store.drop(execution, finding);
  }

  async #showsStill(digest: Digest, found: FoundBlob | undefined): Promise<boolean> {
    return (await within(LOCKED_LOOK_MS, this.#parts.storage.stat(digest)))?.version === found?.version;
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
  const { found, hashed, before, after } = sight;
  if (kind === 'orphan') return before === undefined && after === undefined && found !== undefined;
  if (before === undefined || after === undefined || before.createdAt !== after.createdAt) return false;
  if (before.state === 'deleting' || after.state === 'deleting') return false;
  if (kind === 'missing') return found === undefined;
  if (kind === 'wrong-size') return found !== undefined && found.size !== after.size;
  if (found?.size !== after.size) return false;
  return kind === 'returned' ? after.state === 'lost' && hashed === 'sound' : hashed === 'other-bytes' || hashed === 'unreadable';
}
