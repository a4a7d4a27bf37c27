import type { Configuration } from '@haven/api';
import type { SettingsTable } from '@haven/database';
import { TaskFailure, type ReconciliationProgress, type ReconciliationRun, type TaskContext } from '@haven/execution';
import type { Broadcasts } from '@haven/messages';
import { parseDigest } from '@haven/oci';
import type { Logger } from '@haven/runtime';
import { compareBlobs } from './compare-blobs.js';
import { FINDING_KINDS, type ComparedBlob, type Finding } from './finding.js';
import { eachOf, hashBlob } from './hash-blob.js';
import { mostToMark } from './mark-limit.js';
import { lineOf, summaryOf } from './report.js';
import { SecondLook, type SecondLookParts, type SecondLookWanted } from './second-look.js';
import { isWorthReading, suspicionOf } from './suspicion.js';

export interface ReconcilerParts extends SecondLookParts {
  readonly settings: Pick<SettingsTable<Configuration>, 'current'>;
  readonly broadcasts: Pick<Broadcasts, 'publish'>;
  readonly logger: Logger;
}

const BATCH = 500;
/** Bytes that are read between two notes of how far it came: what a kill makes it read again. */
const BATCH_BYTES = 256 * 1024 * 1024;
const READERS = 4;
/** Findings of each kind that the service's own log names. */
const NAMED = 10;
const READ_ONLY = 'the installation is in read-only mode; switch it off and run it again, or run it without reclaim';

const TOO_MANY = 'That looks like a wrong storage, or a part of it that is not mounted, and not like damage; when it is right, compare again with mark_lost "all"';

const NOTHING = { count: 0, bytes: 0 };
const BEGINNING: ReconciliationProgress = { phase: 'blobs', after: '', before: '', stored: NOTHING, known: 0, rehashed: NOTHING, young: 0 };

/** One comparison of storage with the catalog, or what is left of it when it was begun before. */
export class ReconciliationTask {
  readonly #parts: ReconcilerParts;
  readonly #context: TaskContext;
  readonly #run: ReconciliationRun;
  #at: ReconciliationProgress;

  constructor(parts: ReconcilerParts, context: TaskContext) {
    this.#parts = parts;
    this.#context = context;
    this.#run = context.task.executionAttributes as unknown as ReconciliationRun;
    this.#at = 'phase' in context.task.attributes ? (context.task.attributes as unknown as ReconciliationProgress) : BEGINNING;
  }

  /** Resolves to what the task says at its end. */
  async run(): Promise<string> {
    await this.#refuseReadOnly();
    await this.#tell(this.#at.before === '' ? { before: await this.#beforeGrace() } : {});
    if (this.#at.phase === 'blobs') await this.#compareBlobs();
    if (this.#at.phase === 'uploads') await this.#findLeftovers();
    if (this.#at.phase === 'second-look') await this.#lookAgain();
    if (this.#at.phase === 'report') await this.#report();
    return summaryOf(this.#at, this.#run);
  }

  /** What was written later may be a push that is under way. */
  async #beforeGrace(): Promise<string> {
    return new Date((await this.#parts.store.now()).getTime() - this.#run.grace_seconds * 1000).toISOString();
  }

  async #compareBlobs(): Promise<void> {
    const { store, storage } = this.#parts;
    const after = parseDigest(this.#at.after);
    let batch: ComparedBlob[] = [];
    let bytes = 0;
    for await (const pair of compareBlobs(storage.list(after === undefined ? {} : { after }), store.blobs(after ?? ''))) {
      batch.push(pair);
      if (isWorthReading(pair, this.#run.rehash)) bytes += pair.stored?.size ?? 0;
      if (batch.length < BATCH && bytes < BATCH_BYTES) continue;
      await this.#compared(batch);
      [batch, bytes] = [[], 0];
    }
    await this.#compared(batch);
    await this.#tell({ phase: 'uploads', after: '' });
  }

  async #compared(batch: readonly ComparedBlob[]): Promise<void> {
    this.#context.check();
    const before = new Date(this.#at.before);
    const suspicions = batch.map((pair) => suspicionOf(pair, before));
    const findings = suspicions.filter((suspicion): suspicion is Finding => suspicion !== undefined && suspicion !== 'young');
    const read = batch.filter((pair) => isWorthReading(pair, this.#run.rehash));
    findings.push(...(await this.#readAll(read)));
    await this.#parts.store.note(this.#context.task.executionId, findings);
    const { stored, known, rehashed, young } = this.#at;
    await this.#tell({
      after: batch.at(-1)?.digest ?? this.#at.after, stored: added(stored, batch), known: known + batch.filter(({ row }) => row !== undefined).length,
      rehashed: added(rehashed, read), young: young + suspicions.filter((suspicion) => suspicion === 'young').length,
    });
  }

  async #readAll(blobs: readonly ComparedBlob[]): Promise<Finding[]> {
    const hashed = await eachOf(blobs, READERS, async ({ digest }) => {
      this.#context.check();
      return hashBlob(this.#parts.storage, digest, this.#context.check);
    });
    return blobs.flatMap(({ digest, stored, row }, index): Finding[] => {
      const [state, sound] = [row?.state, hashed[index] === 'sound'];
      if (stored === undefined || (sound && state !== 'lost')) return [];
      const kind = sound ? 'returned' : hashed[index] === 'missing' ? 'missing' : 'corrupted';
      return [{ kind, name: digest, size: stored.size, details: { since: stored.modifiedAt.toISOString(), expected_size: stored.size } }];
    });
  }

  /** Done again from the start after a kill: it only lists. */
  async #findLeftovers(): Promise<void> {
    const { storage } = this.#parts;
    const before = new Date(this.#at.before);
    let findings: Finding[] = [];
    for await (const { id, modifiedAt } of storage.staleUploads(before)) {
      findings.push({ kind: 'stale-upload', name: id, size: undefined, details: { since: modifiedAt.toISOString() } });
      if (findings.length < BATCH) continue;
      await this.#noteUnused(findings);
      findings = [];
    }
    await this.#noteUnused(findings);
    for await (const { digest, id, startedAt } of storage.unfinishedCommits(before)) {
      this.#context.check();
      await this.#parts.store.note(this.#context.task.executionId, [{ kind: 'stale-commit', name: `${digest} ${id}`, size: undefined, details: { since: startedAt.toISOString() } }]);
    }
    await this.#tell({ phase: 'second-look', ...(await this.#tooManyToMark()) });
  }

  /** Judged once, before the first is marked: what is marked by then would not count when this goes on after a kill. */
  async #tooManyToMark(): Promise<Pick<ReconciliationProgress, 'not_marked'>> {
    const { mark_lost: wanted = 'few' } = this.#run;
    const count = wanted === 'few' ? await this.#parts.store.toMark(this.#context.task.executionId) : 0;
    return count > mostToMark(this.#at.known) ? { not_marked: `${count} of ${this.#at.known} blobs lack their bytes. ${TOO_MANY}` } : {};
  }

  async #noteUnused(findings: readonly Finding[]): Promise<void> {
    this.#context.check();
    const used = await this.#parts.catalog.uploadsInStorage(findings.map(({ name }) => name));
    await this.#parts.store.note(this.#context.task.executionId, findings.filter(({ name }) => !used.has(name)));
  }

  async #lookAgain(): Promise<void> {
    const { executionId: execution } = this.#context.task;
    for (let after = { kind: '', name: '' }; ;) {
      this.#context.check();
      await this.#refuseReadOnly();
      const findings = await this.#parts.store.suspicions(execution, after, BATCH);
      const last = findings.at(-1);
      if (last === undefined) break;
      const look = new SecondLook(this.#parts, { execution, reclaim: this.#run.reclaim, ...(await this.#mayTell()), check: this.#context.check });
      // Caches of the registry forget within seconds by themselves, should nobody hear it.
      if (await look.run(findings)) this.#parts.broadcasts.publish('blobs-lost', {});
      after = last;
    }
    await this.#tell({ phase: 'report', after: '' });
  }

  /** In read-only mode nothing is told to the catalog. What was marked before is restored also where nothing more is marked. */
  async #mayTell(): Promise<Pick<SecondLookWanted, 'marks' | 'restores'>> {
    const { read_only: readOnly } = await this.#parts.settings.current();
    const wanted = this.#run.mark_lost !== 'none' && this.#at.not_marked === undefined;
    if (wanted && readOnly && (await this.#parts.store.toMark(this.#context.task.executionId)) > 0) await this.#tell({ not_marked: 'the installation is in read-only mode' });
    return { marks: wanted && !readOnly, restores: !readOnly };
  }

  async #refuseReadOnly(): Promise<void> {
    if (this.#run.reclaim && (await this.#parts.settings.current()).read_only) throw new TaskFailure(READ_ONLY);
  }

  async #report(): Promise<void> {
    const { store } = this.#parts;
    const { executionId: execution } = this.#context.task;
    for (;;) {
      this.#context.check();
      const [kind = '', ...name] = this.#at.after.split(' ');
      const findings = await store.confirmed(execution, { kind, name: name.join(' ') }, BATCH);
      const last = findings.at(-1);
      if (last === undefined) break;
      for (const finding of findings) await this.#context.log.line(lineOf(finding));
      await this.#context.log.flush();
      await this.#tell({ after: `${last.kind} ${last.name}` });
    }
    await this.#tell({ phase: 'done', after: '', found: await store.counts(execution, 'kind'), outcomes: await store.counts(execution, 'outcome') });
    await this.#context.log.line(summaryOf(this.#at, this.#run));
    await this.#announce(execution);
  }

  async #announce(execution: number): Promise<void> {
    const { logger, store } = this.#parts;
    const { found = {}, outcomes } = this.#at;
    if (Object.keys(found).length === 0) return logger.info('storage holds what the catalog says', { execution, stored: this.#at.stored, rehashed: this.#at.rehashed });
    const named: Record<string, readonly string[]> = {};
    for (const kind of FINDING_KINDS) if (found[kind] !== undefined) named[kind] = await store.names(execution, kind, NAMED);
    logger.warn('storage does not hold what the catalog says; the log of the execution names everything', { execution, found, outcomes, some: named });
  }

  async #tell(progress: Partial<ReconciliationProgress>): Promise<void> {
    this.#at = { ...this.#at, ...progress };
    await this.#context.progress({ ...this.#at });
  }
}

function added({ count, bytes }: { readonly count: number; readonly bytes: number }, pairs: readonly ComparedBlob[]): { readonly count: number; readonly bytes: number } {
  const blobs = pairs.flatMap(({ stored }) => (stored === undefined ? [] : [stored.size]));
  return { count: count + blobs.length, bytes: blobs.reduce((sum, size) => sum + size, bytes) };
}
