import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Catalog } from '@haven/catalog';
import { Broadcasts } from '@haven/messages';
import { admitToProject } from '../authorization/admission.js';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import { projectPermission } from '../authorization/requirement.js';
import { readCopySource } from './copy-source.js';
import type { RepositoryPath } from './repository-path.js';

/** Copies artifacts between repositories: no bytes move, the destination comes to name what the source names. */
@Injectable()
export class ArtifactCopyService {
  constructor(
    private readonly projects: ProjectAccessService,
    private readonly catalog: Catalog,
    private readonly broadcasts: Broadcasts,
  ) {}

  /**
   * Copies into the repository, for which the guard has let the caller in; the source needs a permission of its own.
   * A source that the caller may not see looks like one that does not exist.
   *
   * @param from project/repository:tag or project/repository@digest
   * @returns the tag or digest as `from` names it
   */
  async copy(to: RepositoryPath, from: string, caller: Caller): Promise<string> {
    const source = readCopySource(from);
    admitToProject(caller, await this.projects.find(source.project, caller), projectPermission('artifact', 'read'));
    await this.catalog.copyArtifact({
      from: { repository: source.repository, reference: source.reference },
      to: { repository: to.name, projectId: to.project.id },
      actor: subjectId(caller.subject),
    });
    if ('tag' in source.reference) this.broadcasts.publish('tag-changed', { repository: to.name, tag: source.reference.tag });
    return source.text;
  }
}
