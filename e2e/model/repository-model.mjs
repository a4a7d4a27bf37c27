/** What a repository must hold. Nothing of it is shared with another one of the same name, made after this was deleted. */
export class RepositoryModel {
  /** digest → bytes: what it serves and its project pays for. */
  blobs = new Map();
  /** digest → item: what is not in the bin. */
  manifests = new Map();
  /** tag → digest. */
  tags = new Map();
  /** digest → item: what was deleted and not removed for good; it can come back, and helps pushes that began before. */
  deleted = new Map();
  /** Oldest first: [tag, kind, from, to]. */
  history = [];

  constructor(name) {
    this.name = name;
  }

  /** [digest, size] of what a push of the item would link, besides what is linked already. */
  linksFor(item) {
    return [item, ...item.blobs].filter(({ digest }) => !this.blobs.has(digest)).map(({ digest, size }) => [digest, size]);
  }

  /** What the item names and the repository has neither live nor, for blobs, deleted a moment ago. */
  missingFor(item) {
    const recalled = new Set(this.recalledFor(item).map(([digest]) => digest));
    const blobs = item.blobs.filter(({ digest }) => !this.blobs.has(digest) && !recalled.has(digest));
    return [...blobs, ...item.children.filter(({ digest }) => !this.manifests.has(digest))];
  }

  /** What the item names and the repository had a moment ago, with the sizes: a push has it back. */
  recalledFor(item) {
    const recalled = new Set([...this.deleted.values()].flatMap((deleted) => deleted.blobs.map(({ digest }) => digest)));
    return item.blobs.filter(({ digest }) => !this.blobs.has(digest) && recalled.has(digest)).map(({ digest, size }) => [digest, size]);
  }

  put(item) {
    for (const [digest, size] of this.linksFor(item)) this.blobs.set(digest, size);
    this.manifests.set(item.digest, item);
    this.deleted.delete(item.digest);
  }

  /** Lets a tag name something. `kind` is the history's word when the tag is new. */
  point(tag, digest, kind = 'create') {
    const from = this.tags.get(tag);
    if (from !== digest) this.history.push([tag, from === undefined ? kind : 'move', from, digest]);
    this.tags.set(tag, digest);
  }

  dropTag(tag) {
    this.history.push([tag, 'delete', this.tags.get(tag), undefined]);
    this.tags.delete(tag);
  }

  parentsOf(digest) {
    return [...this.manifests.values()].filter((item) => item.children.some((child) => child.digest === digest));
  }

  tagsOf(digest) {
    return [...this.tags].filter(([, target]) => target === digest).map(([tag]) => tag);
  }

  /** The item, its accessories and theirs, and children that nothing else keeps. */
  withDependants(item) {
    const doomed = new Map([[item.digest, item]]);
    for (const one of doomed.values()) {
      for (const other of this.manifests.values()) if (this.#goesWith(other, one)) doomed.set(other.digest, other);
    }
    return [...doomed.values()];
  }

  #goesWith(other, one) {
    if (this.parentsOf(other.digest).some((parent) => parent.digest !== one.digest)) return false;
    return other.subject === one.digest || (one.children.some(({ digest }) => digest === other.digest) && this.tagsOf(other.digest).length === 0);
  }

  /** Takes items out, with their tags and the blobs that nothing left needs. Answers the tags that went: [tag, digest]. */
  remove(items) {
    const digests = new Set(items.map(({ digest }) => digest));
    const tags = [...this.tags].filter(([, target]) => digests.has(target)).sort();
    for (const [tag] of tags) this.dropTag(tag);
    for (const item of items) {
      this.manifests.delete(item.digest);
      this.deleted.set(item.digest, item);
    }
    const needed = this.needed();
    for (const { digest } of items.flatMap((item) => [item, ...item.blobs])) if (!needed.has(digest)) this.blobs.delete(digest);
    return tags;
  }

  /** The deleted ones of these items and their deleted children: what comes back when they are restored. */
  returning(items) {
    const back = new Map(items.filter(({ digest }) => this.deleted.has(digest)).map((item) => [item.digest, item]));
    for (const item of back.values()) for (const child of item.children) if (this.deleted.has(child.digest)) back.set(child.digest, child);
    return [...back.values()];
  }

  /** Digests that live manifests are or name. */
  needed() {
    return new Set([...this.manifests.values()].flatMap((item) => [item, ...item.blobs]).map(({ digest }) => digest));
  }

  /** What garbage collection does once its grace time is over: blobs that no live manifest names go. */
  collect() {
    const needed = this.needed();
    for (const digest of this.blobs.keys()) if (!needed.has(digest)) this.blobs.delete(digest);
  }
}
