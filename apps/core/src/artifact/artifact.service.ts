import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { NEVER, parseQuery, parseSort, Problem, type Accessory, type Artifact, type ArtifactListQuery, type ArtifactQuery, type BuildHistory, type ListQuery, type Page, type Reference, type Tag } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { Broadcasts } from '@haven/messages';
import { isTag, parseDigest } from '@haven/oci';
import type { KnownProject } from '../authorization/known-project.js';
import { repositoryInPath } from '../repository/repository-name.js';
import { ArtifactPartsStore } from './artifact-parts.store.js';
import { BuildHistoryService } from './build-history.service.js';
import { ArtifactStore, type ArtifactReference, type ArtifactRow } from './artifact.store.js';

/** The repository that a path names, with its project. */
export interface RepositoryPath {
  readonly project: KnownProject;
  /** With its project's name. */
  readonly name: string;
}

interface OpenRepository extends RepositoryPath {
  readonly id: number;
}

interface Parts {
  readonly tags: ReadonlyMap<number, Tag[]> | undefined;
  readonly accessories: ReadonlyMap<string, Accessory[]> | undefined;
  readonly references: ReadonlyMap<number, Reference[]>;
}

/** What was pushed: manifests with their tags, accessories and, for indexes, entries. */
@Injectable()
export class ArtifactService {
  constructor(
    private readonly store: ArtifactStore,
    private readonly parts: ArtifactPartsStore,
    private readonly buildHistory: BuildHistoryService,
    private readonly catalog: Catalog,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(path: RepositoryPath, query: ArtifactListQuery): Promise<Page<Artifact>> {
    const repository = await this.#open(path);
    const { items, total } = await this.store.list({ repositoryId: repository.id, ...listOf(query) });
    return { items: await this.#complete(repository, items, query), total };
  }

  async get(path: RepositoryPath, reference: string, query: ArtifactQuery): Promise<Artifact> {
    const repository = await this.#open(path);
    const [artifact] = await this.#complete(repository, [await this.#find(repository, reference)], query);
    if (artifact === undefined) throw new Error('one artifact went in, none came out');
    return artifact;
  }

  /** Deletes the artifact with its tags, its accessories, and children that nothing else keeps. */
  async delete(path: RepositoryPath, reference: string, caller: Caller): Promise<void> {
    const { digest } = await this.#find(await this.#open(path), reference);
    await this.catalog.deleteArtifact({ repository: path.name, digest, actor: subjectId(caller.subject), cascade: true });
    this.broadcasts.publish('manifest-deleted', { repository: path.name, digest });
  }

  async listTags(path: RepositoryPath, reference: string, query: ListQuery): Promise<Page<Tag>> {
    const repository = await this.#open(path);
    return this.parts.listTags((await this.#find(repository, reference)).id, listOf(query));
  }

  /** Removes one tag of an artifact; the artifact stays. */
  async deleteTag(path: RepositoryPath, reference: string, tag: string, caller: Caller): Promise<void> {
    const repository = await this.#open(path);
    const artifact = await this.#find(repository, reference);
    const tagged = isTag(tag) ? await this.store.find(repository.id, { tag }) : undefined;
    if (tagged?.id !== artifact.id) throw new Problem('NOT_FOUND', 'the artifact has no such tag');
    await this.catalog.deleteTag({ repository: path.name, tag, actor: subjectId(caller.subject) });
    this.broadcasts.publish('tag-changed', { repository: path.name, tag });
  }

  async listAccessories(path: RepositoryPath, reference: string, query: ListQuery): Promise<Page<Accessory>> {
    const repository = await this.#open(path);
    const { digest } = await this.#find(repository, reference);
    return this.parts.listAccessories(repository, digest, listOf(query));
  }

  /** Further content of an artifact; this version knows the build history of images. */
  async addition(path: RepositoryPath, reference: string, name: string): Promise<BuildHistory> {
    const artifact = await this.#find(await this.#open(path), reference);
    if (!additionsOf(artifact).includes(name)) throw new Problem('BAD_REQUEST', 'the artifact has no such addition; addition_links of the artifact names those it has');
    return this.buildHistory.read(artifact.digest, artifact.manifestMediaType);
  }

  async #open(path: RepositoryPath): Promise<OpenRepository> {
    const id = await this.store.findRepository(path.name);
    if (id === undefined) throw new Problem('NOT_FOUND', 'there is no such repository');
    return { ...path, id };
  }

  async #find(repository: OpenRepository, reference: string): Promise<ArtifactRow> {
    const row = await this.store.find(repository.id, referenceOf(reference));
    if (row === undefined) throw new Problem('NOT_FOUND', 'the repository has no such artifact');
    return row;
  }

  /** Adds to each row what belongs to it; three queries, however many rows. */
  async #complete(repository: OpenRepository, rows: readonly ArtifactRow[], query: ArtifactQuery): Promise<Artifact[]> {
    const [tags, accessories, references] = await Promise.all([
      query.with_tag === false ? undefined : this.parts.tagsOf(rows.map((row) => row.id)),
      query.with_accessory === false ? undefined : this.parts.accessoriesOf(repository, rows.map((row) => row.digest)),
      this.parts.referencesOf(rows.filter((row) => row.kind === 'index').map((row) => row.id)),
    ]);
    return rows.map((row) => artifactOf(row, repository, { tags, accessories, references }));
  }
}

function listOf(query: ListQuery): { terms: ReturnType<typeof parseQuery>; sort: ReturnType<typeof parseSort>; page: number; size: number } {
  return { terms: parseQuery(query.q), sort: parseSort(query.sort), page: query.page, size: query.page_size };
}

function referenceOf(text: string): ArtifactReference {
  const digest = parseDigest(text);
  if (digest !== undefined) return { digest };
  if (isTag(text)) return { tag: text };
  throw new Problem('BAD_REQUEST', 'the artifact in the address is neither a tag nor a digest');
}

function additionsOf(row: ArtifactRow): string[] {
  return row.kind === 'image' && row.type === 'IMAGE' ? ['build_history'] : [];
}

function additionLinksOf(row: ArtifactRow, repository: OpenRepository): Artifact['addition_links'] {
  const base = `/api/v2.0/projects/${repository.project.name}/repositories/${repositoryInPath(repository.name)}/artifacts/${row.digest}/additions`;
  return Object.fromEntries(additionsOf(row).map((name) => [name, { href: `${base}/${name}`, absolute: false }]));
}

function artifactOf(row: ArtifactRow, repository: OpenRepository, parts: Parts): Artifact {
  return {
    id: row.id,
    type: row.type,
    media_type: row.kind === 'index' || row.configMediaType === '' ? row.manifestMediaType : row.configMediaType,
    manifest_media_type: row.manifestMediaType,
    artifact_type: row.artifactType,
    project_id: repository.project.id,
    repository_id: repository.id,
    repository_name: repository.name,
    digest: row.digest,
    size: row.size,
    push_time: row.pushedAt.toISOString(),
    pull_time: row.pulledAt?.toISOString() ?? NEVER,
    extra_attrs: row.extraAttributes,
    annotations: row.annotations,
    references: parts.references.get(row.id) ?? null,
    tags: parts.tags?.get(row.id) ?? null,
    accessories: parts.accessories?.get(row.digest) ?? null,
    addition_links: additionLinksOf(row, repository),
    labels: null,
  };
}
