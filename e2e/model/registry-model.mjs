import { RepositoryModel } from './repository-model.mjs';

const MEMBERS = new Set(['projectAdmin', 'maintainer', 'developer', 'guest', 'limitedGuest']);
const PUSHERS = new Set(['projectAdmin', 'maintainer', 'developer']);
const DELETERS = new Set(['projectAdmin', 'maintainer']);

/** What a project must hold, and who may do what in it: the rules, as simply as they can be said. */
export class ProjectModel {
  /** user → role. */
  members = new Map();
  /** Bytes; -1: none. */
  limit = -1;
  repositories = new Map();
  /** What can be restored, oldest first: { kind, repository (the model), tag?, digest?, tags: [[tag, digest]], items }. */
  bin = [];

  constructor(name, isPublic) {
    Object.assign(this, { name, isPublic });
  }

  mayPull(user) {
    return this.isPublic || user === 'admin' || MEMBERS.has(this.members.get(user));
  }

  mayPush(user) {
    return user === 'admin' || PUSHERS.has(this.members.get(user));
  }

  mayDelete(user) {
    return user === 'admin' || DELETERS.has(this.members.get(user));
  }

  /** Every blob once, in however many repositories: digest → bytes. */
  held() {
    return new Map([...this.repositories.values()].flatMap((repository) => [...repository.blobs]));
  }

  used() {
    return [...this.held().values()].reduce((sum, size) => sum + size, 0);
  }

  /** Bytes that these [digest, size] would add. */
  cost(blobs) {
    const held = this.held();
    return [...new Map(blobs)].reduce((sum, [digest, size]) => sum + (held.has(digest) ? 0 : size), 0);
  }

  hasRoomFor(bytes) {
    return this.limit < 0 || bytes === 0 || this.used() + bytes <= this.limit;
  }

  /** The repository, made when it is not there yet. */
  openRepository(name) {
    const known = this.repositories.get(name);
    if (known) return known;
    const made = new RepositoryModel(name);
    this.repositories.set(name, made);
    return made;
  }

  isLive(repository) {
    return this.repositories.get(repository.name) === repository;
  }

  /** Makes a manifest part of a repository and takes it out of the bin. */
  put(repository, item) {
    repository.put(item);
    this.#takeOutOfBin(repository, [item]);
  }

  deleteTag(repository, tag) {
    const digest = repository.tags.get(tag);
    repository.dropTag(tag);
    this.bin.push({ kind: 'tag', repository, tag, digest, tags: [[tag, digest]], items: [repository.manifests.get(digest)] });
  }

  deleteArtifact(repository, item, { cascade }) {
    const items = cascade ? repository.withDependants(item) : [item];
    this.bin.push({ kind: 'artifact', repository, digest: item.digest, tags: repository.remove(items), items });
  }

  deleteRepository(repository) {
    const items = [...repository.manifests.values()];
    const tags = repository.remove(items);
    repository.blobs.clear();
    this.repositories.delete(repository.name);
    this.bin.push({ kind: 'repository', repository, tags, items });
  }

  /** Undoes a deletion. Answers 'restored', 'kept' (the tag's name is taken), 'conflict' or 'quota'; only the first changes anything. */
  restore(entry) {
    const { repository } = entry;
    const name = this.repositories.get(repository.name);
    if (entry.kind === 'repository' ? name !== undefined : name !== repository) return 'conflict';
    if (entry.kind === 'tag' && entry.tags.some(([tag, digest]) => repository.tags.has(tag) && repository.tags.get(tag) !== digest)) return 'kept';
    const items = repository.returning(entry.items);
    const links = items.flatMap((item) => repository.linksFor(item));
    if (!this.hasRoomFor(this.cost(links))) return 'quota';
    const living = new Set([...repository.manifests.keys(), ...items.map(({ digest }) => digest)]);
    if (entry.tags.some(([tag, digest]) => !repository.tags.has(tag) && !living.has(digest))) return 'conflict';
    this.repositories.set(repository.name, repository);
    this.#revive(repository, items);
    for (const [tag, digest] of entry.tags) if (!repository.tags.has(tag)) repository.point(tag, digest, 'restore');
    this.bin = this.bin.filter((other) => other !== entry);
    return 'restored';
  }

  /** Lets a tag name again what it named before. Answers 'done', 'unknown', 'conflict' or 'quota'. */
  rollBack(repository, tag, digest) {
    if (!repository.history.some(([name, , , to]) => name === tag && to === digest)) return 'unknown';
    const target = repository.manifests.get(digest) ?? repository.deleted.get(digest);
    if (!target) return 'conflict';
    const items = repository.returning([target]);
    if (!this.hasRoomFor(this.cost(items.flatMap((item) => repository.linksFor(item))))) return 'quota';
    repository.point(tag, digest, 'restore');
    this.#revive(repository, items);
    return 'done';
  }

  /** Garbage collection after the grace time; `purge`: the bin's time is over, too. */
  collect({ purge }) {
    for (const repository of this.repositories.values()) {
      repository.collect();
      if (purge) repository.deleted.clear();
    }
    if (purge) this.bin = [];
  }

  #revive(repository, items) {
    for (const item of items) repository.put(item);
    this.#takeOutOfBin(repository, items);
  }

  /** What lives again is in no deletion any more; an artifact's deletion of which nothing is left is gone. */
  #takeOutOfBin(repository, items) {
    const living = new Set(items.map(({ digest }) => digest));
    for (const entry of this.bin) {
      if (entry.repository === repository && entry.kind !== 'tag') entry.items = entry.items.filter(({ digest }) => !living.has(digest));
    }
    this.bin = this.bin.filter((entry) => entry.kind !== 'artifact' || entry.items.length > 0);
  }
}
