import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, type Digest } from '@haven/oci';
import { ReconcilerWorld, type StorageKind } from '../testing/reconciler-world.js';
import { reconcilerScale } from '../testing/settings.js';

const SCALE = reconcilerScale();
const ORPHANS = Math.ceil(10_000 * SCALE);
const STALE = Math.ceil(100 * SCALE);
const RUNNING = Math.ceil(1000 * SCALE);
const MISSING = Math.ceil(50 * SCALE);
const CORRUPTED = Math.ceil(20 * SCALE);
const IMAGES = MISSING + CORRUPTED + Math.ceil(1000 * SCALE);
const YOUNG = 20;
/** Stores tell times to the second. */
const BETWEEN_MS = 2200;

describe.each<StorageKind>(['files', 'S3'])(`what was planted in %s is found exactly: ${ORPHANS} orphans, ${STALE} stale uploads or multiparts, ${RUNNING} running uploads, ${MISSING} missing, ${CORRUPTED} corrupted`, (kind) => {
  let world: ReconcilerWorld;
  let boundary: number;
  const planted: Record<string, string[]> = { orphan: [], 'stale-upload': [], 'stale-commit': [], missing: [], 'wrong-size': [], corrupted: [], returned: [] };
  const running: string[] = [];
  const sound = new Set<string>();
  const layers = new Map<string, Buffer>();
  const youngOrphans: string[] = [];
  const youngUploads: string[] = [];

  const graceSeconds = (): number => (Date.now() - boundary) / 1000;
  const plant = (what: string, name: string | undefined): unknown => name !== undefined && planted[what]?.push(name);

  beforeAll(async () => {
    world = await ReconcilerWorld.open(kind);
    await inParallel(IMAGES, async (index) => {
      const bytes = randomBytes(100 + (index % 50));
      const { layer, config, manifest } = await world.image(bytes, `alpha/app-${index % 7}`);
      layers.set(layer, bytes);
      for (const digest of [layer, config, manifest]) sound.add(digest);
      if (index < MISSING) plant('missing', layer);
      else if (index < MISSING + CORRUPTED) plant('corrupted', layer);
      else if (index < MISSING + CORRUPTED + 3) plant('wrong-size', layer);
    });
    for (const digest of planted['missing'] ?? []) await world.storage.delete(digest as Digest);
    for (const digest of planted['corrupted'] ?? []) await world.overwrite(digest as Digest, randomBytes((await world.storage.stat(digest as Digest))?.size ?? 0));
    for (const digest of planted['wrong-size'] ?? []) await world.overwrite(digest as Digest, randomBytes(10));
    await inParallel(ORPHANS, async () => plant('orphan', await world.orphan()));
    await inParallel(RUNNING, async () => { running.push((await world.upload({ session: true })).id); });
    await inParallel(STALE, async (index) => {
      const commit = index % 2 === 0 ? await world.abandonCommit(digestOf(randomBytes(8))) : undefined;
      if (commit === undefined) plant('stale-upload', (await world.upload({ session: false })).id);
      else plant('stale-commit', commit);
    });
    await sleep(BETWEEN_MS);
    boundary = Date.now();
    await sleep(BETWEEN_MS);
    for (let index = 0; index < YOUNG; index += 1) {
      youngOrphans.push(await world.orphan());
      youngUploads.push((await world.upload({ session: false })).id);
    }
    for (const names of Object.values(planted)) names.sort();
  }, 1_800_000);
  afterAll(() => world.close());

  test('without reading bytes, all but the corrupted; nothing is touched', async () => {
    const before = await world.stored();
    const id = await world.compare({ grace_seconds: graceSeconds(), mark_lost: 'none' });
    const found = await world.found(id);
    expect(byKind(found)).toEqual({ ...planted, corrupted: [] });
    expect(new Set(found.map(({ outcome }) => outcome))).toEqual(new Set(['']));
    expect(await world.stored()).toEqual(before);
    expect(new Set(Object.values(await world.states()))).toEqual(new Set(['present']));
    const { status, progress } = await world.task(id);
    expect([status, progress.phase, progress.young, progress.stored.count]).toEqual(['Success', 'done', YOUNG, before.length]);
    expect(progress.found).toMatchObject({ orphan: { count: ORPHANS, bytes: ORPHANS * 40 }, missing: { count: MISSING } });
  }, 600_000);

  test('N-09, J-08: with reading, all of them; each is in the log, and what lacks bytes with the artifacts that need it', async () => {
    const begun = performance.now();
    const id = await world.compare({ grace_seconds: graceSeconds(), rehash: true });
    const seconds = (performance.now() - begun) / 1000;
    const found = await world.found(id);
    expect(byKind(found)).toEqual(planted);
    const { log, message, progress } = await world.task(id);
    for (const [what, names] of Object.entries(planted)) for (const name of names) expect(log.includes(`${what}: ${name}: `)).toBe(true);
    expect(log.trimEnd().split('\n')).toHaveLength(found.length + 1);
    expect(message).toContain(`orphan: ${ORPHANS} (`);
    for (const { details } of found.filter((finding) => finding.kind === 'missing' || finding.kind === 'corrupted')) {
      expect(details).toMatchObject({ needed_by_count: 1, needed_by: [expect.stringMatching(/^alpha\/app-\d@sha256:[0-9a-f]{64}$/)] });
    }
    expect(lostIn(await world.states())).toEqual(lacking());
    tell(`${kind}: ${progress.stored.count} blobs compared and ${progress.rehashed.count} read in ${seconds.toFixed(1)} s`);
  }, 600_000);

  test('reclaim removes the orphans and the stale ones, and nothing else', async () => {
    const begun = performance.now();
    const id = await world.compare({ grace_seconds: graceSeconds(), reclaim: true });
    const seconds = (performance.now() - begun) / 1000;
    const { progress } = await world.task(id);
    expect(progress.outcomes).toMatchObject({ 'handed-over': { count: ORPHANS, bytes: ORPHANS * 40 }, removed: { count: STALE } });
    const lost = new Set(planted['missing']);
    const kept = [...sound].filter((digest) => !lost.has(digest)).concat(youngOrphans).sort();
    expect(await world.stored()).toEqual([...kept, ...(planted['orphan'] ?? [])].sort());
    expect(await uploads()).toEqual([...running, ...youngUploads].sort());
    expect(await commits()).toBe(0);
    expect(await world.collect()).toBe(0);
    await world.hoursPass();
    expect(await world.collect()).toBe(ORPHANS);
    expect(await world.stored()).toEqual(kept);
    expect(byKind(await world.found(await world.compare({ grace_seconds: graceSeconds() })))).toEqual({ ...planted, orphan: [], 'stale-upload': [], 'stale-commit': [] });
    expect(lostIn(await world.states())).toEqual(lacking());
    tell(`${kind}: reclaimed in ${seconds.toFixed(1)} s`);
  }, 600_000);

  test('what was lost is there again when it is pushed again, byte for byte, and nothing is wrong any more', async () => {
    for (const digest of lacking()) await world.blob(layers.get(digest) ?? Buffer.alloc(0), 'alpha/other');
    expect(lostIn(await world.states())).toEqual([]);
    for (const digest of lacking()) expect(digestOf(await world.storage.readAll(digest as Digest, 200))).toBe(digest);
    expect(await world.found(await world.compare({ grace_seconds: graceSeconds(), rehash: true }))).toEqual([]);
  }, 600_000);

  function lacking(): string[] {
    return ['missing', 'wrong-size', 'corrupted'].flatMap((what) => planted[what] ?? []).sort();
  }

  function lostIn(states: Readonly<Record<string, string>>): string[] {
    return Object.keys(states).filter((digest) => states[digest] === 'lost');
  }

  async function uploads(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of world.storage.staleUploads(new Date(Date.now() + 60_000))) ids.push(id);
    return ids.sort();
  }

  async function commits(): Promise<number> {
    let count = 0;
    for await (const _commit of world.storage.unfinishedCommits(new Date(Date.now() + 60_000))) count += 1;
    return count;
  }

  function byKind(found: readonly { readonly kind: string; readonly name: string }[]): Record<string, string[]> {
    return Object.fromEntries(Object.keys(planted).map((what) => [what, found.filter((finding) => finding.kind === what).map(({ name }) => name)]));
  }
});

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  const left = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(Array.from({ length: 8 }, async () => { for (const index of left) await work(index); }));
}
