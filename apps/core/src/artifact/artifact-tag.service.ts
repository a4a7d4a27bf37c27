import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem, type Page, type Tag, type TagListQuery } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { Broadcasts } from '@haven/messages';
import { isTag } from '@haven/oci';
import { ArtifactFinder } from './artifact-finder.service.js';
import { listOf } from './artifact-list.js';
import { ArtifactPartsStore } from './artifact-parts.store.js';
import { ArtifactView } from './artifact-view.service.js';
import { ArtifactStore } from './artifact.store.js';
import type { RepositoryPath } from './repository-path.js';

/** The tags of one artifact. */
@Injectable()
export class ArtifactTagService {
  constructor(
    private readonly store: ArtifactStore,
    private readonly parts: ArtifactPartsStore,
    private readonly finder: ArtifactFinder,
    private readonly view: ArtifactView,
    private readonly catalog: Catalog,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(path: RepositoryPath, reference: string, query: TagListQuery): Promise<Page<Tag>> {
    const list = listOf(query);
    const { artifact } = await this.finder.artifact(path, reference);
    const { items, total } = await this.parts.listTags(artifact.id, list);
    return { items: query.with_immutable_status === true ? await this.view.markImmutable(path.project, path.name, items) : items, total };
  }

  /** Gives the artifact one more tag; a tag that another artifact has stays where it is. */
  async create(path: RepositoryPath, reference: string, tag: string, caller: Caller): Promise<void> {
    if (!isTag(tag)) throw new Problem('BAD_REQUEST', 'name must be a tag: a letter, digit or "_", then at most 127 letters, digits, ".", "_" or "-"');
    const { artifact } = await this.finder.artifact(path, reference);
    await this.catalog.createTag({ repository: path.name, digest: artifact.digest, tag, actor: subjectId(caller.subject) });
    this.broadcasts.publish('tag-changed', { repository: path.name, tag });
  }

  /** Removes one tag of the artifact; the artifact stays. */
  async delete(path: RepositoryPath, reference: string, tag: string, caller: Caller): Promise<void> {
    const { repository, artifact } = await this.finder.artifact(path, reference);
    const tagged = isTag(tag) ? await this.store.find(repository.id, { tag }) : undefined;
    if (tagged?.id !== artifact.id) throw new Problem('NOT_FOUND', 'the artifact has no such tag');
    await this.catalog.deleteTag({ repository: path.name, tag, actor: subjectId(caller.subject) });
    this.broadcasts.publish('tag-changed', { repository: path.name, tag });
  }
}
