import { setImmediate } from 'node:timers/promises';
import type { Configuration } from '@haven/api';
import { CatalogError, type Catalog } from '@haven/catalog';
import { withOrigin, type SettingsTable, type Transaction } from '@haven/database';
import { TaskFailure, type RetentionRun as RunAttributes, type RetentionTask, type TaskContext } from '@haven/execution';
import { evaluateRetentionInSteps, immutabilityOf, type RetentionDecision, type RetentionReason } from '@haven/policy';
import type { ListedCandidate, RetentionStore } from './retention.store.js';
import { RetentionTable, type RetentionStatus } from './retention-table.js';
import { RETENTION_ORIGIN, type UntoldDeletions } from './untold-deletions.store.js';

export interface RetentionParts {
  readonly store: RetentionStore;
  readonly untold: Pick<UntoldDeletions, 'note' | 'announce'>;
  readonly catalog: Pick<Catalog, 'deleteArtifact'>;
  readonly settings: Pick<SettingsTable<Configuration>, 'current'>;
}

const READ_ONLY = 'the installation is in read-only mode; switch it off and run the policy again';

type Decision = RetentionDecision<ListedCandidate>;

/**
 * Applies a retention policy to one repository. What is to go goes into the bin, one artifact after the other, and only
 * while it still is what the decision was about. Doing it again, after a crash, decides anew about what is left,
 * and adds to what was counted and noted together with each deletion.
 */
export class RetentionRun {
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  async run(context: TaskContext): Promise<void> {
    const { dry_run: dryRun, project_id: projectId, rules } = context.task.executionAttributes as unknown as RunAttributes;
    const { repository, repository_id: repositoryId } = context.task.attributes as unknown as RetentionTask;
    if (!dryRun) await this.#refuseReadOnly();
    const found = await this.#parts.store.repository(projectId, repositoryId);
    const earlier = dryRun ? 0 : deletedSoFar(context);
    if (found === undefined) {
      await context.log.line(`the repository ${repository} is gone`);
      return this.#parts.untold.announce(context.task.id, (transaction) => context.progressIn(transaction, { total: earlier, retained: 0 }));
    }
    const immutable = immutabilityOf(await this.#parts.store.immutabilityRules(projectId), repository);
    const pause = async (): Promise<void> => {
      await setImmediate();
      context.check();
    };
    const decisions = (await evaluateRetentionInSteps({ rules, repository, candidates: found.candidates, immutable, now: found.now }, pause)) ?? [];
    await context.log.line(`${dryRun ? 'Dry run for' : 'Run for'} ${found.fullName}: ${decisions.length} artifacts`);
    await withOrigin({ ...RETENTION_ORIGIN }, () => new Application(this.#parts, context, { dryRun, earlier, fullName: found.fullName, repositoryId, decisions }).run());
  }

  async #refuseReadOnly(): Promise<void> {
    if ((await this.#parts.settings.current()).read_only) throw new TaskFailure(READ_ONLY);
  }
}

interface Work {
  readonly dryRun: boolean;
  /** What attempts before this one deleted. */
  readonly earlier: number;
  readonly fullName: string;
  readonly repositoryId: number;
  readonly decisions: readonly Decision[];
}

/** Carries out the decisions about one repository. */
class Application {
  readonly #table: RetentionTable;
  #deleted = 0;

  constructor(
    private readonly parts: RetentionParts,
    private readonly context: TaskContext,
    private readonly work: Work,
  ) {
    this.#table = new RetentionTable(work.decisions.map(({ candidate }) => candidate));
  }

  async run(): Promise<void> {
    const { decisions, dryRun } = this.work;
    await this.#tell();
    for (const line of this.#table.head()) await this.context.log.line(line);
    for (const decision of decisions) if (decision.retained) await this.#report(decision, decision.reason.kind === 'immutable' ? 'IMMUTABLE' : 'RETAIN');
    const doomed = decisions.filter(({ retained }) => !retained);
    if (dryRun) for (const decision of doomed) await this.#count(decision, 'DEL');
    else await this.#deleteAll(doomed);
    if (dryRun) await this.#tell();
    else await this.parts.untold.announce(this.context.task.id, (transaction) => this.context.progressIn(transaction, this.#counts()));
    const { total, retained } = this.#counts();
    await this.context.log.line(`${total} artifacts, ${retained} retained, ${total - retained} ${dryRun ? 'would be deleted' : 'deleted'}`);
  }

  /** A tagged child of an index can go once the index has: what is referenced is tried again as long as others go. */
  async #deleteAll(doomed: readonly Decision[]): Promise<void> {
    let waiting = doomed;
    for (let before = -1; waiting.length > 0 && before !== this.#deleted;) {
      before = this.#deleted;
      const referenced: Decision[] = [];
      for (const decision of waiting) {
        this.context.check();
        const status = await this.#delete(decision.candidate);
        if (status === 'REFERENCED') referenced.push(decision);
        else await this.#count(decision, status);
      }
      waiting = referenced;
    }
    for (const decision of waiting) await this.#count(decision, 'REFERENCED');
  }

  async #delete(candidate: ListedCandidate): Promise<RetentionStatus> {
    if ((await this.parts.settings.current()).read_only) throw new TaskFailure(READ_ONLY);
    if (!(await this.parts.store.isUnchanged(this.work.repositoryId, candidate))) return 'CHANGED';
    try {
      await this.parts.catalog.deleteArtifact({ repository: this.work.fullName, digest: candidate.digest, actor: '', cascade: true, onDeleted: (transaction) => this.#note(transaction, candidate) });
      return 'DEL';
    } catch (error) {
      const kept = error instanceof CatalogError ? keptBecause(error.code) : undefined;
      if (kept === undefined) throw error;
      return kept;
    }
  }

  async #count(decision: Decision, status: RetentionStatus): Promise<void> {
    if (status === 'DEL' || status === 'GONE') this.#deleted += 1;
    await this.#report(decision, status);
  }

  /** In the deletion's transaction, which is rolled back when another worker has the task. */
  async #note(transaction: Transaction, candidate: ListedCandidate): Promise<void> {
    await this.parts.untold.note(transaction, this.context.task.id, candidate);
    await this.context.progressIn(transaction, this.#counts(this.#deleted + 1));
  }

  async #report({ candidate, reason }: Decision, status: RetentionStatus): Promise<void> {
    for (const line of this.#table.rows(candidate, status, reasonText(reason, status))) await this.context.log.line(line);
  }

  #tell(): Promise<void> {
    return this.context.progress(this.#counts());
  }

  #counts(deleted = this.#deleted): { readonly total: number; readonly retained: number } {
    const { decisions, earlier } = this.work;
    return { total: earlier + decisions.length, retained: decisions.length - deleted };
  }
}

/** What the task says of the attempts before this one. */
function deletedSoFar({ task }: TaskContext): number {
  const { total = 0, retained = 0 } = task.attributes as unknown as RetentionTask;
  return total - retained;
}

function keptBecause(code: CatalogError['code']): RetentionStatus | undefined {
  switch (code) {
    case 'immutable': return 'IMMUTABLE';
    case 'referenced': return 'REFERENCED';
    case 'manifest-unknown': case 'repository-unknown': return 'GONE';
    default: return undefined;
  }
}

function reasonText(reason: RetentionReason, status: RetentionStatus): string {
  switch (status) {
    case 'REFERENCED': return 'an index still names it';
    case 'CHANGED': return 'it was pushed or tagged meanwhile';
    case 'GONE': return 'somebody else deleted it meanwhile';
    case 'IMMUTABLE': return reason.kind === 'immutable' && reason.tag !== undefined ? `the tag ${reason.tag} is immutable` : 'it is immutable';
    case 'DEL': return 'no rule keeps it';
    case 'RETAIN': return reason.kind === 'rule' ? `rule ${reason.rule + 1}: ${reason.template}` : '';
  }
}
