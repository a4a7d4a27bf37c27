import { CatalogError, type Catalog, type UntaggedArtifact } from '@haven/catalog';
import { withOrigin } from '@haven/database';
import type { TaskContext } from '@haven/execution';

export interface UntaggedParts {
  readonly catalog: Pick<Catalog, 'untaggedArtifacts' | 'deleteArtifact'>;
  readonly graceSeconds: number;
  /** Rejects when nothing may be deleted any more. */
  readonly requireWritable: () => Promise<void>;
}

/** Who did it, for the audit trail and the history of tags. */
const ORIGIN = { name: 'garbage collection', address: '', requestId: '' };

/** Why an artifact stays after all. */
const KEPT: Partial<Record<CatalogError['code'], string>> = {
  'immutable': 'a rule makes a tag of what hangs on it immutable',
  'referenced': 'an index names it now',
  'tag-exists': 'it was tagged meanwhile',
  'manifest-unknown': 'somebody else deleted it meanwhile',
  'repository-unknown': 'somebody else deleted its repository meanwhile',
};

/** Puts artifacts that nothing names into the bin; a dry run only lists them. Resolves to how many. */
export async function deleteUntagged({ catalog, graceSeconds, requireWritable }: UntaggedParts, context: TaskContext, dryRun: boolean): Promise<number> {
  let count = 0;
  let after: string | undefined = '0';
  while (after !== undefined) {
    context.check();
    const page: Awaited<ReturnType<typeof catalog.untaggedArtifacts>> = await catalog.untaggedArtifacts({ graceSeconds, after });
    for (const artifact of page.artifacts) {
      context.check();
      if (!dryRun) await requireWritable();
      const kept = dryRun ? undefined : await deleteOne(catalog, artifact);
      if (kept === undefined) count += 1;
      await context.log.line(`untagged: ${artifact.repository}@${artifact.digest} ${kept === undefined ? (dryRun ? 'would be deleted' : 'was deleted') : `stays: ${kept}`}`);
    }
    after = page.next;
  }
  await context.log.line(`untagged: ${count} artifacts ${dryRun ? 'would go' : 'went'} into the bin`);
  return count;
}

/** Why it stays; undefined when it went. */
async function deleteOne(catalog: Pick<Catalog, 'deleteArtifact'>, { repository, digest }: UntaggedArtifact): Promise<string | undefined> {
  try {
    await withOrigin({ ...ORIGIN }, () => catalog.deleteArtifact({ repository, digest, actor: '', cascade: true, onlyUntagged: true }));
    return undefined;
  } catch (error) {
    const kept = error instanceof CatalogError ? KEPT[error.code] : undefined;
    if (kept === undefined) throw error;
    return kept;
  }
}
