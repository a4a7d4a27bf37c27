import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { NEVER, Problem, type Page, type RepositoryTag, type RepositoryTagListQuery, type TagAt, type TagEvent, type TagEventListQuery } from '@haven/api';
import { Catalog, type TagChange } from '@haven/catalog';
import { Broadcasts } from '@haven/messages';
import { isTag, parseDigest } from '@haven/oci';
import { immutabilityOf } from '@haven/policy';
import { ArtifactFinder } from '../artifact/artifact-finder.service.js';
import { listOf } from '../artifact/artifact-list.js';
import { ImmutabilityStore } from '../artifact/immutability.store.js';
import type { RepositoryPath } from '../artifact/repository-path.js';
import { admitToProject } from '../authorization/admission.js';
import { projectPermission } from '../authorization/requirement.js';
import { ActorNamesService } from './actor-names.service.js';
import { TagStore } from './tag.store.js';

/** The tags of a repository, and their past. */
@Injectable()
export class TagService {
  constructor(
    private readonly store: TagStore,
    private readonly finder: ArtifactFinder,
    private readonly immutability: ImmutabilityStore,
    private readonly names: ActorNamesService,
    private readonly catalog: Catalog,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(path: RepositoryPath, query: RepositoryTagListQuery, caller: Caller): Promise<Page<RepositoryTag>> {
    const list = listOf(query);
    const { id } = await this.finder.repository(path);
    const { items, total } = await this.store.list(id, list);
    const [signed, pushers, rules] = await Promise.all([
      this.store.signed(id, items.map((tag) => tag.digest)), this.store.pushers(id, items.map((tag) => tag.name)), this.immutability.rulesOf(path.project.id),
    ]);
    const nameOf = await this.names.namesFor(caller, [...pushers.values()]);
    const isImmutable = immutabilityOf(rules, path.name.slice(path.name.indexOf('/') + 1));
    return {
      items: items.map((tag) => ({
        id: tag.id, name: tag.name, repository_id: tag.repositoryId, artifact_id: tag.artifactId, digest: tag.digest, type: tag.type, media_type: tag.mediaType,
        size: tag.size, push_time: tag.pushedAt.toISOString(), pull_time: tag.pulledAt?.toISOString() ?? NEVER, pushed_by: nameOf(pushers.get(tag.name) ?? ''),
        signed: signed.has(tag.digest), immutable: isImmutable(tag.name),
      })),
      total,
    };
  }

  /** What happened to a tag, newest first, also when it does not exist any more. */
  async history(path: RepositoryPath, tag: string, query: TagEventListQuery, caller: Caller): Promise<Page<TagEvent>> {
    requireTag(tag);
    const { id } = await this.finder.repository(path);
    const page = await this.catalog.tagHistory(String(id), tag, { page: query.page, size: query.page_size });
    if (page.total === 0) throw new Problem('NOT_FOUND', 'the repository never had such a tag');
    return this.#shown(page, caller);
  }

  async repositoryHistory(path: RepositoryPath, query: TagEventListQuery, caller: Caller): Promise<Page<TagEvent>> {
    const { id } = await this.finder.repository(path);
    return this.#shown(await this.catalog.repositoryHistory(String(id), { page: query.page, size: query.page_size }), caller);
  }

  /** What a tag named at a moment. */
  async at(path: RepositoryPath, tag: string, text: string): Promise<TagAt> {
    requireTag(tag);
    const { id } = await this.finder.repository(path);
    const time = new Date(text);
    const digest = await this.catalog.tagAt(String(id), tag, time);
    if (digest === undefined) throw new Problem('NOT_FOUND', 'there was no such tag then');
    return { tag, time: time.toISOString(), digest, available: await this.store.hasArtifact(id, digest) };
  }

  /** Lets a tag name again what it named before. It takes away what the tag names now, so it needs the right to delete tags, too. */
  async rollBack(path: RepositoryPath, tag: string, text: string, caller: Caller): Promise<void> {
    admitToProject(caller, path.project, projectPermission('tag', 'delete'));
    requireTag(tag);
    const digest = parseDigest(text);
    if (digest === undefined) throw new Problem('BAD_REQUEST', 'digest must be a digest like sha256:…');
    await this.catalog.rollBackTag({ repository: path.name, tag, digest, actor: subjectId(caller.subject) });
    this.broadcasts.publish('tag-changed', { repository: path.name, tag });
  }

  async #shown({ items, total }: Page<TagChange>, caller: Caller): Promise<Page<TagEvent>> {
    const nameOf = await this.names.namesFor(caller, items.map(({ actor }) => actor));
    return {
      items: items.map(({ id, tag, kind, from, to, actor, at }) => ({
        id: Number(id), tag, operation: kind, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), actor: nameOf(actor), time: at.toISOString(),
      })),
      total,
    };
  }
}

function requireTag(tag: string): void {
  if (!isTag(tag)) throw new Problem('BAD_REQUEST', 'the tag in the address is not valid');
}
