import type { Configuration } from '@haven/api';
import type { Database } from '@haven/database';
import { TaskFailure, type AuditPurgeParameters, type TaskContext } from '@haven/execution';
import { purgeAudit } from './purge-audit.js';

const HOUR_MS = 60 * 60_000;
const READ_ONLY = 'the installation is in read-only mode; switch it off and run the purge again';

export interface AuditPurgeParts {
  readonly database: Pick<Database, 'query' | 'execute' | 'now'>;
  readonly configuration: { current(): Promise<Pick<Configuration, 'read_only'>> };
}

/** Does the task of a purge of the audit trail. Doing it again, after a crash, goes on with what is left. */
export class AuditPurgeRun {
  readonly #parts: AuditPurgeParts;

  constructor(parts: AuditPurgeParts) {
    this.#parts = parts;
  }

  async run(context: TaskContext): Promise<string> {
    const { audit_retention_hour: hours, include_event_types: kinds, dry_run: dryRun } = context.task.executionAttributes as unknown as AuditPurgeParameters;
    if (!dryRun && (await this.#parts.configuration.current()).read_only) throw new TaskFailure(READ_ONLY);
    const types = kinds.split(',').map((kind) => kind.trim()).filter((kind) => kind !== '');
    if (hours <= 0 || types.length === 0) return this.#tell(context, hours <= 0 ? 'nothing is purged: audit_retention_hour is not above 0' : 'nothing is purged: include_event_types is empty');
    // The moment is that of the first attempt, so that every attempt is about the same lines.
    const before = beforeOf(context.task.attributes['before']) ?? new Date((await this.#parts.database.now()).getTime() - hours * HOUR_MS);
    const earlier = numberOf(context.task.attributes['purged_lines']);
    await context.progress({ before: before.toISOString() });
    await context.log.line(`purge of the audit trail${dryRun ? ' (dry run)' : ''}: lines before ${before.toISOString()} of the kinds ${types.join(', ')}`);
    const purged = await purgeAudit(this.#parts.database, {
      before, types, dryRun,
      onProgress: async (soFar) => {
        await context.progress({ purged_lines: earlier + soFar });
        context.check();
      },
    });
    await context.progress({ purged_lines: earlier + purged });
    return this.#tell(context, `${earlier + purged} lines ${dryRun ? 'would be' : 'were'} removed`);
  }

  async #tell(context: TaskContext, message: string): Promise<string> {
    await context.log.line(message);
    return message;
  }
}

function beforeOf(value: unknown): Date | undefined {
  return typeof value === 'string' ? new Date(value) : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
