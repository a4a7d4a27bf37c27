import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CatalogError, type CatalogErrorCode } from './catalog-error.js';
import { CatalogFixture, projectOf, type Descriptor } from './testing/catalog-fixture.js';

const STEPS = 400;
const REPOSITORIES = ['alpha/a', 'alpha/b', 'bravo/a', 'bravo/b'];
const TAGS = ['1', '2', 'latest'];
/** What may be refused in such a history; anything else is a fault. */
const REFUSALS = new Set<CatalogErrorCode>([
  'quota-exceeded', 'manifest-unknown', 'repository-unknown', 'tag-unknown', 'tag-exists', 'referenced', 'restore-conflict', 'bin-entry-unknown', 'blob-unknown', 'accessory-source', 'references-missing',
]);

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());

/** Numbers from a seed, the same on every machine. */
class Dice {
  constructor(private state: number) {}

  below(most: number): number {
    this.state = (this.state * 48_271) % 2_147_483_647;
    return this.state % most;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  }
}

/** Some of what people do to a registry, at random, with few names so that they meet. */
class Visitor {
  readonly #known: Descriptor[] = [];

  /** Beside others nobody collects without any grace, which is what pushes rely on. */
  constructor(
    private readonly dice: Dice,
    private readonly alone: boolean,
  ) {}

  /** Makes sure that there is something to do something with. */
  begin(): Promise<void> {
    return this.#push(this.#repository());
  }

  /** Resolves to what was done and, where it was refused, why. */
  async act(): Promise<string> {
    const [name, action] = this.dice.pick(this.#actions);
    try {
      await action();
      return name;
    } catch (error) {
      if (error instanceof CatalogError && REFUSALS.has(error.code)) return `${name} (${error.code})`;
      throw new Error(`${name} failed`, { cause: error });
    }
  }

  readonly #actions: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['push', () => this.#push(this.#repository())],
    ['push', () => this.#push(this.#repository())],
    ['push index', () => this.#at(async (repository, child) => this.#remember(await fixture.index(repository, [child], this.#tags())))],
    ['sign', () => this.#at((repository, subject) => this.#push(repository, { subject }))],
    ['upload', () => fixture.blob(this.#repository(), `upload ${this.dice.below(5)}`)],
    ['delete tag', () => fixture.catalog.deleteTag({ repository: this.#repository(), tag: this.dice.pick(TAGS), actor: '' })],
    ['delete artifact alone', () => this.#at((repository, { digest }) => fixture.catalog.deleteArtifact({ repository, digest, actor: '', cascade: false }))],
    ['delete artifact', () => this.#at((repository, artifact) => fixture.deleteArtifact(repository, artifact))],
    ['delete repository', () => this.#rarely(() => fixture.catalog.deleteRepository({ repository: this.#repository(), actor: '' }))],
    ['delete blob', () => this.#at((repository, { digest }) => fixture.catalog.removeBlob(repository, digest))],
    ['mount', () => this.#mount()],
    ['create tag', () => this.#at((repository, { digest }) => fixture.catalog.createTag({ repository, digest, tag: this.dice.pick(TAGS), actor: '' }))],
    ['copy', () => this.#copy()],
    ['restore', () => this.#restore()],
    ['restore', () => this.#restore()],
    ['roll back', () => this.#rollBack()],
    ['roll back', () => this.#rollBack()],
    ['fold', () => fixture.catalog.foldQuotaChanges(10)],
    ['limit', () => fixture.limit(this.dice.pick([-1, -1, -1, 1500, 4000]))],
    ['collect', () => (this.alone ? this.#rarely(() => this.#collect()) : Promise.resolve())],
  ];

  #repository(): string {
    return this.dice.pick(REPOSITORIES);
  }

  #tags(): string[] {
    return this.dice.below(3) === 0 ? [] : [this.dice.pick(TAGS)];
  }

  #remember(pushed: Descriptor): void {
    if (this.#known.some(({ digest }) => digest === pushed.digest)) return;
    this.#known.push(pushed);
    if (this.#known.length > 15) this.#known.shift();
  }

  /** With some artifact and, mostly, a repository that it is in. */
  async #at(work: (repository: string, artifact: Descriptor) => Promise<unknown>): Promise<void> {
    const artifact = this.dice.pick(this.#known);
    const rows = await fixture.database.query<{ name: string }>(
      'SELECT r.name FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE m.digest = $1 AND m.deleted_at IS NULL ORDER BY r.name', [artifact.digest]);
    await work(rows.length === 0 || this.dice.below(8) === 0 ? this.#repository() : this.dice.pick(rows).name, artifact);
  }

  async #rarely(work: () => Promise<unknown>): Promise<void> {
    if (this.dice.below(4) === 0) await work();
  }

  async #push(repository: string, extra: object = {}): Promise<void> {
    const layers = Array.from({ length: 1 + this.dice.below(2) }, () => `layer ${this.dice.below(4)}`.padEnd(100));
    this.#remember(await fixture.image(repository, layers, this.#tags(), extra));
  }

  async #rollBack(): Promise<void> {
    const changes = await fixture.database.query<{ name: string; tag: string; to_digest: string }>(
      'SELECT r.name, e.tag, e.to_digest FROM tag_event e JOIN repository r ON r.id = e.repository_id WHERE r.deleted_at IS NULL AND e.to_digest IS NOT NULL ORDER BY e.id DESC LIMIT 30');
    if (changes.length === 0) return;
    const { name, tag, to_digest: digest } = this.dice.pick(changes);
    await fixture.catalog.rollBackTag({ repository: name, tag, digest, actor: '' });
  }

  async #mount(): Promise<void> {
    const repository = this.#repository();
    await fixture.catalog.mountBlob({ repository, projectId: projectOf(repository), actor: '', digest: this.dice.pick(this.#known).digest, from: this.#repository() });
  }

  async #copy(): Promise<void> {
    const repository = this.#repository();
    await this.#at((from, { digest }) => {
      const reference = this.dice.below(2) === 0 ? { tag: this.dice.pick(TAGS) } : { digest };
      return fixture.catalog.copyArtifact({ from: { repository: from, reference }, to: { repository, projectId: projectOf(repository) }, actor: '' });
    });
  }

  async #restore(): Promise<void> {
    const projectId = 1 + this.dice.below(2);
    const { items } = await fixture.catalog.listBin({ projectId, page: 1, size: 100 });
    if (items.length > 0) await fixture.catalog.restore(this.dice.pick(items).id, projectId, '');
  }

  /** Without any grace, so that nothing is spared but what is needed. */
  async #collect(): Promise<void> {
    const collected = await fixture.catalog.collectGarbage({
      graceSeconds: 0, binBefore: this.dice.below(4) === 0 ? new Date(Date.now() + 1000) : new Date(0), removeBytes: () => Promise.resolve(true), onFailure: () => undefined,
    });
    if (collected.failed > 0) throw new Error(`${collected.failed} blobs were not removed`);
  }
}

/** What must be so after every step, as rows that break it. */
const BROKEN: Readonly<Record<string, string>> = {
  'live manifests whose own blob is not linked': `SELECT m.digest FROM manifest m WHERE m.deleted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = m.repository_id AND rb.digest = m.digest)`,
  'live manifests that name what is not linked': `SELECT m.digest, mb.digest AS blob FROM manifest m JOIN manifest_blob mb ON mb.manifest_id = m.id WHERE m.deleted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM repository_blob rb JOIN blob b ON b.digest = rb.digest AND b.state = 'present' WHERE rb.repository_id = m.repository_id AND rb.digest = mb.digest)`,
  'live indexes whose child is deleted': `SELECT m.digest FROM manifest m JOIN manifest_reference ref ON ref.parent_id = m.id JOIN manifest child ON child.repository_id = m.repository_id AND child.digest = ref.child_digest
    WHERE m.deleted_at IS NULL AND child.deleted_at IS NOT NULL`,
  'tags of deleted manifests': 'SELECT t.name FROM tag t JOIN manifest m ON m.id = t.manifest_id WHERE m.deleted_at IS NOT NULL',
  'live manifests of deleted repositories': 'SELECT m.digest FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE r.deleted_at IS NOT NULL AND m.deleted_at IS NULL',
  'links of deleted repositories': 'SELECT rb.digest FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id WHERE r.deleted_at IS NOT NULL',
  'bin entries of live artifacts': `SELECT e.id FROM bin_entry e JOIN bin_manifest bm ON bm.entry_id = e.id JOIN manifest m ON m.id = bm.manifest_id WHERE e.kind <> 'tag' AND m.deleted_at IS NULL`,
  'binned artifacts whose bytes are gone': `SELECT m.digest FROM bin_manifest bm JOIN manifest m ON m.id = bm.manifest_id JOIN manifest_blob mb ON mb.manifest_id = m.id
    WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = mb.digest AND b.state = 'present')`,
  'blobs that neither a link, nor the bin, nor the list of candidates knows': `SELECT b.digest FROM blob b WHERE NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.digest = b.digest)
    AND NOT EXISTS (SELECT 1 FROM unlinked_blob u WHERE u.digest = b.digest) AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = b.digest AND m.deleted_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM manifest_blob mb JOIN manifest m ON m.id = mb.manifest_id WHERE mb.digest = b.digest AND m.deleted_at IS NOT NULL)`,
  'wrong counts of repositories': `SELECT pb.digest FROM project_blob pb FULL JOIN (
      SELECT r.project_id, rb.digest, count(*) AS repositories FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id GROUP BY 1, 2) held
    ON held.project_id = pb.project_id AND held.digest = pb.digest WHERE held.repositories IS DISTINCT FROM pb.repositories`,
  'tags that are not what their history ends with': `SELECT t.name FROM tag t JOIN manifest m ON m.id = t.manifest_id
    WHERE m.digest IS DISTINCT FROM (SELECT to_digest FROM tag_event e WHERE e.repository_id = t.repository_id AND e.tag = t.name ORDER BY id DESC LIMIT 1)`,
};

/** What is wrong now. */
async function faults(): Promise<object[]> {
  const found: object[] = [];
  for (const project of [1, 2]) {
    const { used } = await fixture.catalog.usage(project);
    const right = await fixture.catalog.recomputeUsage(project);
    if (used !== right) found.push({ project, used, right });
  }
  for (const [what, sql] of Object.entries(BROKEN)) found.push(...(await fixture.database.query<object>(sql)).map((row) => ({ what, row })));
  return found;
}

const seed = Number(process.hrtime.bigint() % 1_000_000n) + 1;

test('accounts, links, tags and bin are right after every step of a random history', async () => {
  const visitor = new Visitor(new Dice(seed), true);
  await visitor.begin();
  for (let step = 0; step < STEPS; step += 1) {
    const done = await visitor.act();
    expect({ seed, step, done, faults: await faults() }).toEqual({ seed, step, done, faults: [] });
  }
}, 120_000);

test('and whenever several who act at once have paused', async () => {
  await fixture.database.execute('UPDATE project SET storage_limit = -1'); // the history before may have left no room to begin
  const visitors = [1, 2, 3, 4, 5].map((number) => new Visitor(new Dice(seed + number), false));
  for (const visitor of visitors) await visitor.begin();
  for (let round = 0; round < STEPS / 8; round += 1) {
    const done = await Promise.all(visitors.map((visitor) => visitor.act()));
    expect({ seed, round, done, faults: await faults() }).toEqual({ seed, round, done, faults: [] });
  }
}, 120_000);
