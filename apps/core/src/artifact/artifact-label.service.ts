import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { Database } from '@haven/database';
import { recordAudit } from '../audit/record-audit.js';
import { attachLabel, detachLabel } from '../label/label.store.js';
import { ArtifactFinder } from './artifact-finder.service.js';
import type { ArtifactRow } from './artifact.store.js';
import type { RepositoryPath } from './repository-path.js';

/** Puts labels on artifacts and takes them off. */
@Injectable()
export class ArtifactLabelService {
  constructor(
    private readonly finder: ArtifactFinder,
    private readonly database: Database,
  ) {}

  /** A label of another project looks like one that does not exist. */
  async add(path: RepositoryPath, reference: string, labelId: number, caller: Caller): Promise<void> {
    const { artifact } = await this.finder.artifact(path, reference);
    await this.database.transaction(async (transaction) => {
      const label = await attachLabel(transaction, artifact.id, labelId, path.project.id);
      if (label === undefined) throw new Problem('NOT_FOUND', 'there is no such label for artifacts of this project');
      if (!label.added) throw new Problem('CONFLICT', `the artifact has the label ${label.name} already`);
      await recordAudit(transaction, caller, {
        operation: 'create', resourceType: 'artifact_label', ...named(path, artifact), description: `add label ${label.name} to artifact: ${path.name}@${artifact.digest}`,
      });
    });
  }

  async remove(path: RepositoryPath, reference: string, labelId: number, caller: Caller): Promise<void> {
    const { artifact } = await this.finder.artifact(path, reference);
    await this.database.transaction(async (transaction) => {
      const name = await detachLabel(transaction, artifact.id, labelId);
      if (name === undefined) throw new Problem('NOT_FOUND', 'the artifact has no such label');
      await recordAudit(transaction, caller, {
        operation: 'delete', resourceType: 'artifact_label', ...named(path, artifact), description: `remove label ${name} from artifact: ${path.name}@${artifact.digest}`,
      });
    });
  }
}

function named(path: RepositoryPath, artifact: ArtifactRow): { readonly resource: string; readonly project: number } {
  return { resource: `${path.name}@${artifact.digest}`, project: path.project.id };
}
