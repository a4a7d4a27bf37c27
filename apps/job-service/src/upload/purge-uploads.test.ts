import { describe, expect, test } from '@jest/globals';
import { CatalogError, type StaleUploads, type Upload } from '@haven/catalog';
import { digestOf, type Digest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import type { StaleUpload } from '@haven/storage';
import { UploadPurge } from './purge-uploads.js';

const NOW = new Date('2026-01-02T00:00:00Z');
const OLD = new Date('2025-12-31T00:00:00Z');

class FakeCatalog {
  readonly rows = new Map<string, { upload: Upload; updatedAt: Date }>();
  /** Ids that a client continues at the very moment they are claimed. */
  readonly continued = new Set<string>();

  put(id: string, updatedAt: Date): void {
    this.rows.set(id, { upload: { id, repository: 'a/b', projectId: 1, subject: '', state: { id: `state-${id}`, received: 7 }, received: 7, version: 0, room: undefined }, updatedAt });
  }

  async staleUploads(before: Date, limit: number): Promise<Upload[]> {
    return [...this.rows.values()].filter((row) => row.updatedAt < before).slice(0, limit).map((row) => row.upload);
  }

  async countStaleUploads(before: Date): Promise<StaleUploads> {
    const stale = await this.staleUploads(before, Infinity);
    return { uploads: stale.length, bytes: stale.reduce((sum, { received }) => sum + received, 0) };
  }

  async claimUpload(upload: Upload): Promise<{ upload: Upload; contested: boolean }> {
    const row = this.rows.get(upload.id);
    if (row === undefined) throw new CatalogError('upload-unknown', 'gone');
    row.updatedAt = NOW;
    if (this.continued.has(upload.id)) throw new CatalogError('upload-changed', 'continued');
    return { upload, contested: false };
  }

  async forgetUpload(id: string): Promise<boolean> {
    return this.rows.delete(id);
  }

  async now(): Promise<Date> {
    return NOW;
  }

  async uploadsInStorage(ids: readonly string[]): Promise<Set<string>> {
    const used = new Set([...this.rows.values()].map((row) => (row.upload.state as { id: string }).id));
    return new Set(ids.filter((id) => used.has(id)));
  }
}

class FakeUploads {
  readonly stored = new Map<string, Date>();
  readonly commits = new Map<string, Date>();
  readonly broken = new Set<string>();
  onAbort: (id: string) => void = () => undefined;

  async abort({ id }: { readonly id: string }): Promise<void> {
    this.onAbort(id);
    if (this.broken.has(id)) throw new Error('the disk does not answer');
    this.stored.delete(id);
  }

  async *staleUploads(before: Date): AsyncGenerator<StaleUpload> {
    for (const [id, modifiedAt] of this.stored) if (modifiedAt < before) yield { id, size: 5, modifiedAt };
  }

  async *unfinishedCommits(before: Date): AsyncGenerator<{ digest: Digest; id: string; startedAt: Date }> {
    for (const [id, startedAt] of this.commits) if (startedAt < before) yield { digest: digestOf(Buffer.from(id)), id, startedAt };
  }

  async dropCommit({ id }: { readonly id: string }): Promise<void> {
    this.commits.delete(id);
  }
}

function parts() {
  const [catalog, storage, logger, metrics] = [new FakeCatalog(), new FakeUploads(), new FakeLogger(), new Metrics()];
  const settings = { read_only: false };
  const purge = new UploadPurge({ catalog, storage, configuration: { current: () => Promise.resolve(settings) }, logger, metrics, ttlSeconds: 24 * 60 * 60 });
  return { catalog, storage, settings, logger, metrics, purge };
}

describe('purging uploads', () => {
  test('removes old sessions with their bytes, keeps young ones', async () => {
    const { catalog, storage, purge, metrics } = parts();
    for (let index = 0; index < 250; index++) {
      catalog.put(`old-${index}`, OLD);
      storage.stored.set(`state-old-${index}`, OLD);
    }
    catalog.put('young', NOW);
    storage.stored.set('state-young', OLD);
    await purge.run();
    expect([...catalog.rows.keys()]).toEqual(['young']);
    expect([...storage.stored.keys()]).toEqual(['state-young']);
    expect(await metrics.text()).toContain('haven_uploads_purged_total{kind="session"} 250');
  });

  test('removes old bytes that belong to no session, and only those', async () => {
    const { storage, purge, metrics } = parts();
    for (let index = 0; index < 120; index++) storage.stored.set(`lost-${index}`, OLD);
    storage.stored.set('just-begun', NOW);
    await purge.run();
    expect([...storage.stored.keys()]).toEqual(['just-begun']);
    expect(await metrics.text()).toContain('haven_uploads_purged_total{kind="leftover"} 120');
  });

  test('drops what old commits left that never ended, and only those', async () => {
    const { storage, purge } = parts();
    storage.commits.set('crashed', OLD);
    storage.commits.set('running', NOW);
    await purge.run();
    expect([...storage.commits.keys()]).toEqual(['running']);
  });

  test('can be told beforehand, to the byte, and then nothing is removed', async () => {
    const { catalog, storage, purge } = parts();
    for (let index = 0; index < 130; index++) {
      catalog.put(`old-${index}`, OLD);
      storage.stored.set(`state-old-${index}`, OLD);
      storage.stored.set(`lost-${index}`, OLD);
    }
    catalog.put('young', NOW);
    storage.stored.set('state-young', OLD);
    storage.commits.set('crashed', OLD);
    const expected = { sessions: 130, leftovers: 131, bytes: 130 * 7 + 130 * 5 };
    expect(await purge.preview()).toEqual(expected);
    expect([catalog.rows.size, storage.stored.size, storage.commits.size]).toEqual([131, 261, 1]);
    expect(await purge.purge()).toEqual({ ...expected, failed: 0 });
    expect(await purge.preview()).toEqual({ sessions: 0, leftovers: 0, bytes: 0 });
  });

  test('ends where it is when it is told to', async () => {
    const { catalog, storage, purge } = parts();
    for (let index = 0; index < 10; index++) catalog.put(`old-${index}`, OLD);
    for (let index = 0; index < 10; index++) storage.stored.set(`lost-${index}`, OLD);
    const stop = new AbortController();
    storage.onAbort = (id) => { if (id === 'state-old-3') stop.abort(); };
    expect(await purge.purge(stop.signal)).toEqual({ sessions: 4, leftovers: 0, bytes: 28, failed: 0 });
    expect([catalog.rows.size, storage.stored.size]).toEqual([6, 10]);
  });

  test('F-12: removes nothing in read-only mode', async () => {
    const { catalog, storage, settings, purge } = parts();
    catalog.put('old', OLD);
    storage.stored.set('state-old', OLD);
    settings.read_only = true;
    await purge.run();
    expect([...catalog.rows.keys(), ...storage.stored.keys()]).toEqual(['old', 'state-old']);
    settings.read_only = false;
    await purge.run();
    expect([...catalog.rows.keys(), ...storage.stored.keys()]).toEqual([]);
  });

  test('leaves an upload that is continued this very moment', async () => {
    const { catalog, storage, purge, logger } = parts();
    catalog.put('busy', OLD);
    catalog.continued.add('busy');
    storage.stored.set('state-busy', OLD);
    await purge.run();
    expect([...storage.stored.keys()]).toEqual(['state-busy']);
    expect(logger.lines).toEqual([]);
  });

  test('goes on after a failure, keeps the row of what it could not remove, and fails at the end', async () => {
    const { catalog, storage, purge, logger } = parts();
    for (const id of ['a', 'b', 'c']) {
      catalog.put(id, OLD);
      storage.stored.set(`state-${id}`, OLD);
    }
    storage.broken.add('state-b');
    await expect(purge.run()).rejects.toThrow('1 abandoned uploads could not be removed');
    expect([...catalog.rows.keys()]).toEqual(['b']);
    expect(logger.messages('warn')).toEqual(['an abandoned upload could not be removed']);
  });
});
