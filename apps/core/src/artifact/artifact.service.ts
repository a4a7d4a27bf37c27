import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import type { Accessory, Artifact, ArtifactListQuery, ArtifactQuery, ListQuery, Page, ProjectArtifactListQuery } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { Broadcasts } from '@haven/messages';
import type { KnownProject } from '../authorization/known-project.js';
import { ArtifactFinder } from './artifact-finder.service.js';
import { listOf, requireOneKind } from './artifact-list.js';
import { ArtifactPartsStore } from './artifact-parts.store.js';
import { ArtifactView } from './artifact-view.service.js';
import { ArtifactStore } from './artifact.store.js';
import type { RepositoryPath } from './repository-path.js';

/** What was pushed: manifests with their tags, labels, accessories and, for indexes, entries. */
@Injectable()
export class ArtifactService {
  constructor(
    private readonly store: ArtifactStore,
    private readonly parts: ArtifactPartsStore,
    private readonly finder: ArtifactFinder,
    private readonly view: ArtifactView,
    private readonly catalog: Catalog,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(path: RepositoryPath, query: ArtifactListQuery): Promise<Page<Artifact>> {
    const list = listOf(query);
    const { id } = await this.finder.repository(path);
    const { items, total } = await this.store.listOfRepository(id, list);
    return { items: await this.view.show(path.project, items, query), total };
  }

  /** The artifacts of all repositories of a project. */
  async listOfProject(project: KnownProject, query: ProjectArtifactListQuery): Promise<Page<Artifact>> {
    const list = listOf(query);
    const latest = query.latest_in_repository === true;
    if (latest) requireOneKind(list.terms);
    const { items, total } = await this.store.listOfProject(project.id, list, latest);
    return { items: await this.view.show(project, items, query), total };
  }

  async get(path: RepositoryPath, reference: string, query: ArtifactQuery): Promise<Artifact> {
    const { artifact } = await this.finder.artifact(path, reference);
    const [shown] = await this.view.show(path.project, [artifact], query);
    if (shown === undefined) throw new Error('one artifact went in, none came out');
    return shown;
  }

  /** Deletes the artifact with its tags, its accessories, and children that nothing else keeps. */
  async delete(path: RepositoryPath, reference: string, caller: Caller): Promise<void> {
    const { artifact } = await this.finder.artifact(path, reference);
    await this.catalog.deleteArtifact({ repository: path.name, digest: artifact.digest, actor: subjectId(caller.subject), cascade: true });
    this.broadcasts.publish('manifest-deleted', { repository: path.name, digest: artifact.digest });
  }

  async listAccessories(path: RepositoryPath, reference: string, query: ListQuery): Promise<Page<Accessory>> {
    const list = listOf(query);
    const { artifact } = await this.finder.artifact(path, reference);
    return this.parts.listAccessories(artifact.id, list);
  }
}
