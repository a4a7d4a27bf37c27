import { Injectable } from '@nestjs/common';
import type { Action, Caller } from '@haven/access';
import { Problem } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { projectPermission } from '../authorization/requirement.js';
import { RetentionStore, type RetentionRow } from './retention.store.js';

export interface AdmittedRetention {
  readonly row: RetentionRow;
  readonly project: KnownProject;
}

/** Nobody's project: who may not see every project is refused there as in a project that is hidden. */
const NO_PROJECT = 0;
export const NO_POLICY = 'there is no such retention policy';

/** Finds policies for those who may do something to them; the addresses name a policy and not its project. */
@Injectable()
export class RetentionAccessService {
  constructor(
    private readonly store: RetentionStore,
    private readonly projects: ProjectAccessService,
  ) {}

  /** The project that a new policy is for. */
  admitProject(id: number, caller: Caller, action: Action): Promise<KnownProject> {
    return this.projects.admit(id, caller, projectPermission('tag-retention', action));
  }

  /** The policy with its project. One that does not exist looks like one of a project that the caller may not see. */
  async admit(id: number, caller: Caller, action: Action): Promise<AdmittedRetention> {
    const row = await this.store.find(id);
    try {
      const project = await this.admitProject(row?.projectId ?? NO_PROJECT, caller, action);
      if (row !== undefined) return { row, project };
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'NOT_FOUND')) throw error;
    }
    throw new Problem('NOT_FOUND', NO_POLICY);
  }
}
