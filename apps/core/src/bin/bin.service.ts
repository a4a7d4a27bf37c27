import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import type { BinEntry, BinListQuery, BinRestored, Page } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { Broadcasts } from '@haven/messages';
import { admitToProject } from '../authorization/admission.js';
import type { KnownProject } from '../authorization/known-project.js';
import { projectPermission } from '../authorization/requirement.js';
import { ActorNamesService } from '../tag/actor-names.service.js';

/** What was deleted in a project and can still come back. */
@Injectable()
export class BinService {
  constructor(
    private readonly catalog: Catalog,
    private readonly names: ActorNamesService,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(project: KnownProject, query: BinListQuery, caller: Caller): Promise<Page<BinEntry>> {
    const { items, total } = await this.catalog.listBin({ projectId: project.id, kind: query.kind, repository: query.repository, page: query.page, size: query.page_size });
    const nameOf = await this.names.namesFor(caller, items.map(({ deletedBy }) => deletedBy));
    return {
      items: items.map((entry) => ({
        id: Number(entry.id), kind: entry.kind, repository_name: entry.repository, ...(entry.tag === undefined ? {} : { tag: entry.tag }),
        ...(entry.digest === undefined ? {} : { digest: entry.digest }), tags: entry.tags.map(({ name, digest }) => ({ name, digest })), tag_count: entry.tagCount,
        artifact_count: entry.artifactCount, deleted_by: nameOf(entry.deletedBy), deletion_time: entry.deletedAt.toISOString(),
      })),
      total,
    };
  }

  /** Undoes a deletion. It makes and it overrules what somebody deleted, so it needs the rights to both. */
  async restore(project: KnownProject, id: number, caller: Caller): Promise<BinRestored> {
    admitToProject(caller, project, projectPermission('artifact', 'delete'));
    const restored = await this.catalog.restore(String(id), project.id, subjectId(caller.subject));
    for (const tag of restored.tags) this.broadcasts.publish('tag-changed', { repository: restored.repository, tag });
    return { kind: restored.kind, repository_name: restored.repository, digests: [...restored.digests], tags: [...restored.tags], kept: [...restored.kept] };
  }
}
