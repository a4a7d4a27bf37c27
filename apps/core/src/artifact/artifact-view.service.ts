import { Injectable } from '@nestjs/common';
import { NEVER, type Accessory, type Artifact, type ArtifactQuery, type Label, type Reference, type Tag } from '@haven/api';
import { immutabilityOf } from '@haven/policy';
import { additionsOf } from '../addition/addition-names.js';
import type { KnownProject } from '../authorization/known-project.js';
import { iconOfType } from '../icon/built-in-icons.js';
import { labelOf } from '../label/label.service.js';
import { LabelStore } from '../label/label.store.js';
import { groupedBy } from '../listing/select-page.js';
import { repositoryInPath } from '../repository/repository-name.js';
import { ArtifactPartsStore } from './artifact-parts.store.js';
import type { ArtifactRow } from './artifact.store.js';
import { ImmutabilityStore } from './immutability.store.js';

/** Artifacts by id; undefined for what was not asked for. */
interface Parts {
  readonly tags: ReadonlyMap<number, Tag[]> | undefined;
  readonly accessories: ReadonlyMap<number, Accessory[]> | undefined;
  readonly inherited: ReadonlyMap<number, Accessory[]> | undefined;
  readonly labels: ReadonlyMap<number, Label[]> | undefined;
  readonly references: ReadonlyMap<number, Reference[]>;
}

/** Shows artifacts in the API's form, with what belongs to them. */
@Injectable()
export class ArtifactView {
  constructor(
    private readonly parts: ArtifactPartsStore,
    private readonly labels: LabelStore,
    private readonly immutability: ImmutabilityStore,
  ) {}

  /** Adds to each row what belongs to it: one query for each kind of part, however many rows. */
  async show(project: KnownProject, rows: readonly ArtifactRow[], query: ArtifactQuery): Promise<Artifact[]> {
    const ids = rows.map((row) => row.id);
    const [tags, accessories, inherited, labels, references] = await Promise.all([
      query.with_tag === false ? undefined : this.#tags(project, rows, query.with_immutable_status === true),
      query.with_accessory === false ? undefined : this.parts.accessoriesOf(ids),
      query.with_inherited_accessory === true ? this.parts.inheritedOf(ids) : undefined,
      query.with_label === true ? this.#labels(ids) : undefined,
      this.parts.referencesOf(rows.filter((row) => row.kind === 'index').map((row) => row.id)),
    ]);
    return rows.map((row) => artifactOf(project, row, { tags, accessories, inherited, labels, references }));
  }

  /** The tags with whether each is immutable. */
  async markImmutable(project: KnownProject, repository: string, tags: readonly Tag[]): Promise<Tag[]> {
    return marked(await this.immutability.rulesOf(project.id), repository, tags);
  }

  async #tags(project: KnownProject, rows: readonly ArtifactRow[], withStatus: boolean): Promise<ReadonlyMap<number, Tag[]>> {
    const [tags, rules] = await Promise.all([this.parts.tagsOf(rows.map((row) => row.id)), withStatus ? this.immutability.rulesOf(project.id) : undefined]);
    if (rules === undefined) return tags;
    return new Map(rows.map((row) => [row.id, marked(rules, row.repository, tags.get(row.id) ?? [])]));
  }

  async #labels(ids: readonly number[]): Promise<ReadonlyMap<number, Label[]>> {
    const grouped = groupedBy(await this.labels.ofArtifacts(ids), ({ artifactId }) => artifactId);
    return new Map([...grouped].map(([id, worn]) => [id, worn.map(({ label }) => labelOf(label))]));
  }
}

function marked(rules: Parameters<typeof immutabilityOf>[0], repository: string, tags: readonly Tag[]): Tag[] {
  const isImmutable = immutabilityOf(rules, repository.slice(repository.indexOf('/') + 1));
  return tags.map((tag) => ({ ...tag, immutable: isImmutable(tag.name) }));
}

function filled<Item>(items: readonly Item[] | undefined): Item[] | null {
  return items === undefined || items.length === 0 ? null : [...items];
}

function artifactOf(project: KnownProject, row: ArtifactRow, parts: Parts): Artifact {
  return {
    id: row.id,
    type: row.type,
    media_type: row.mediaType,
    manifest_media_type: row.manifestMediaType,
    artifact_type: row.artifactType,
    project_id: project.id,
    repository_id: row.repositoryId,
    repository_name: row.repository,
    digest: row.digest,
    size: row.size,
    icon: row.icon ?? iconOfType(row.type),
    push_time: row.pushedAt.toISOString(),
    pull_time: row.pulledAt?.toISOString() ?? NEVER,
    extra_attrs: row.extraAttributes,
    annotations: row.annotations,
    references: filled(parts.references.get(row.id)),
    tags: filled(parts.tags?.get(row.id)),
    accessories: filled(parts.accessories?.get(row.id)),
    ...(parts.inherited === undefined ? {} : { inherited_accessories: filled(parts.inherited.get(row.id)) }),
    addition_links: additionLinksOf(project, row),
    labels: filled(parts.labels?.get(row.id)),
  };
}

function additionLinksOf(project: KnownProject, row: ArtifactRow): Artifact['addition_links'] {
  const base = `/api/v2.0/projects/${project.name}/repositories/${repositoryInPath(row.repository)}/artifacts/${row.digest}/additions`;
  return Object.fromEntries(additionsOf(row).map((name) => [name, { href: `${base}/${name}`, absolute: false }]));
}
