import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import { blobStorageContract } from '../blob-storage.contract.js';
import { openStorage } from '../open-storage.js';
import { StorageError, UploadMissing } from '../storage-error.js';
import { FilesystemBlobStorage } from './filesystem-blob-storage.js';

blobStorageContract('The file system', async () => {
  const root = mkdtempSync(join(tmpdir(), 'haven-storage-'));
  const storage = new FilesystemBlobStorage(root);
  return {
    storage, tickMs: 20, close: async () => rmSync(root, { recursive: true }),
    overwrite: async (digest, bytes) => {
      mkdirSync(dirname(storage.localFile(digest)), { recursive: true });
      writeFileSync(storage.localFile(digest), bytes);
    },
  };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haven-storage-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the root folder', () => {
  test('is made for its owner alone, and so is what it holds', async () => {
    const root = join(folder, 'new', 'root');
    const storage = openStorage(`file://${root}`);
    const bytes = randomBytes(5);
    await storage.put(digestOf(bytes), bytes);
    expect(statSync(root).mode & 0o777).toBe(0o700);
    const file = storage.localFile(digestOf(bytes));
    expect(file?.startsWith(`${root}/docker/registry/v2/blobs/sha256/`)).toBe(true);
    expect(statSync(String(file)).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(String(file))).mode & 0o777).toBe(0o700);
  });

  test.each([
    ['a relative path', () => 'data', 'is not an absolute path'],
    ['the root of everything', () => '/', 'choose a folder of its own'],
    ['a link', () => link(folder), 'is a symbolic link'],
    ['a file', () => file(folder), 'is not a folder'],
    ['a folder in which ours is a link', () => linked(folder), 'is a symbolic link'],
  ])('refuses %s and says why', (_, make, sentence) => {
    expect(() => new FilesystemBlobStorage(make())).toThrow(sentence);
    expect(() => new FilesystemBlobStorage(make())).toThrow(StorageError);
  });

  test('adopts what Distribution left', async () => {
    const bytes = randomBytes(1_000);
    const place = join(folder, 'docker/registry/v2/blobs/sha256', digestOf(bytes).slice(7, 9), digestOf(bytes).slice(7));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'data'), bytes);
    expect(await new FilesystemBlobStorage(folder).readAll(digestOf(bytes), 1_000)).toEqual(bytes);
  });
});

describe('links', () => {
  test('in the place of a blob or an upload are not followed', async () => {
    const storage = new FilesystemBlobStorage(folder);
    const bytes = randomBytes(10);
    const secret = join(folder, 'secret');
    writeFileSync(secret, bytes);
    const place = String(storage.localFile(digestOf(bytes)));
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(secret, place);
    expect(await storage.stat(digestOf(bytes))).toBeUndefined();
    symlinkSync(secret, join(folder, 'haven/uploads/up'));
    await expect(storage.append({ id: 'up', received: 0 }, once(randomBytes(3)))).rejects.toMatchObject({ name: 'StorageError', kind: 'broken' });
    await expect(storage.commit({ id: 'up', received: 10 }, digestOf(randomBytes(10)))).rejects.toMatchObject({ name: 'StorageError' });
    expect(statSync(secret).size).toBe(10);
  });
});

describe('after a crash', () => {
  test('an upload goes on at its state, whatever lies beyond', async () => {
    const bytes = randomBytes(100);
    const { state } = await appended(new FilesystemBlobStorage(folder), bytes.subarray(0, 40));
    writeFileSync(join(folder, 'haven/uploads', state.id), 'half a batch', { flag: 'a' });
    const storage = new FilesystemBlobStorage(folder);
    const next = await storage.append(state, once(bytes.subarray(40)));
    await storage.commit(next.state, digestOf(bytes));
    expect(await storage.readAll(digestOf(bytes), 100)).toEqual(bytes);
  });

  test('an upload that lost acknowledged bytes cannot go on', async () => {
    const storage = new FilesystemBlobStorage(folder);
    const { state } = await appended(storage, randomBytes(40));
    writeFileSync(join(folder, 'haven/uploads', state.id), 'short');
    await expect(storage.append(state, once(randomBytes(1)))).rejects.toThrow(UploadMissing);
    await expect(storage.commit(state, digestOf(randomBytes(40)))).rejects.toThrow(UploadMissing);
  });

  test('a commit that got as far as the rename can be repeated by another process', async () => {
    const bytes = randomBytes(40);
    const { state } = await appended(new FilesystemBlobStorage(folder), bytes);
    await new FilesystemBlobStorage(folder).commit(state, digestOf(bytes));
    await new FilesystemBlobStorage(folder).commit(state, digestOf(bytes));
    expect(readdirSync(join(folder, 'haven/uploads'))).toEqual([]);
  });

  test('a blob of the wrong size is replaced, not trusted', async () => {
    const storage = new FilesystemBlobStorage(folder);
    const bytes = randomBytes(40);
    await storage.put(digestOf(bytes), bytes);
    writeFileSync(String(storage.localFile(digestOf(bytes))), 'cut');
    const { state } = await appended(storage, bytes);
    await storage.commit(state, digestOf(bytes));
    expect(await storage.readAll(digestOf(bytes), 40)).toEqual(bytes);
  });

  test('a damaged blob is replaced by another file: whoever reads the old one is not disturbed', async () => {
    const storage = new FilesystemBlobStorage(folder);
    const bytes = randomBytes(5_000_000);
    await storage.put(digestOf(bytes), bytes);
    const damaged = randomBytes(5_000_000);
    writeFileSync(storage.localFile(digestOf(bytes)), damaged);
    const before = statSync(storage.localFile(digestOf(bytes))).ino;
    const reading = (await storage.read(digestOf(bytes)))[Symbol.asyncIterator]();
    const read = [(await reading.next()).value as Buffer];
    const { state } = await appended(storage, bytes);
    await storage.commit(state, digestOf(bytes));
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) read.push(next.value as Buffer);
    expect(Buffer.concat(read).equals(damaged)).toBe(true);
    expect(statSync(storage.localFile(digestOf(bytes))).ino).not.toBe(before);
    expect((await storage.readAll(digestOf(bytes), 5_000_000)).equals(bytes)).toBe(true);
    expect(readdirSync(join(folder, 'haven/uploads'))).toEqual([]);
  });

  test('the temporary files of every call are listed and can be removed', async () => {
    const storage = new FilesystemBlobStorage(folder);
    const ids = [`put-${randomUUID()}`, `health-${randomUUID()}`, randomUUID()];
    for (const id of ids) writeFileSync(join(folder, 'haven/uploads', id), 'left');
    writeFileSync(join(folder, 'haven/uploads/.nfs0001'), 'not ours');
    const stale: string[] = [];
    for await (const { id } of storage.staleUploads(new Date(Date.now() + 1_000))) stale.push(id);
    expect(stale.toSorted()).toEqual(ids.toSorted());
    for (const id of stale) await storage.abort({ id, received: 0 });
    expect(readdirSync(join(folder, 'haven/uploads'))).toEqual(['.nfs0001']);
  });

  test('a blob that lost its end is never served as if it were whole', async () => {
    const storage = new FilesystemBlobStorage(folder);
    const bytes = randomBytes(5_000_000);
    await storage.put(digestOf(bytes), bytes);
    const reading = await storage.read(digestOf(bytes));
    writeFileSync(String(storage.localFile(digestOf(bytes))), 'cut');
    await expect(drained(reading)).rejects.toMatchObject({ name: 'StorageError', kind: 'broken' });
  });
});

test('deleting tidies the folder of the blob', async () => {
  const storage = new FilesystemBlobStorage(folder);
  const bytes = randomBytes(40);
  await storage.put(digestOf(bytes), bytes);
  const place = dirname(String(storage.localFile(digestOf(bytes))));
  await storage.delete(digestOf(bytes));
  expect(existsSync(place)).toBe(false);
});

test('many relaxed deletions are made durable together: each folder that they share is synced once, and not before', async () => {
  const storage = new FilesystemBlobStorage(folder);
  const blobs = Array.from({ length: 300 }, (_, index) => Buffer.from(`relaxed ${index}`));
  for (const bytes of blobs) await storage.put(digestOf(bytes), bytes);
  const digests = blobs.map((bytes) => digestOf(bytes));
  const shards = new Set(digests.map((digest) => dirname(dirname(storage.localFile(digest)))));
  expect(shards.size).toBeLessThan(300);
  const synced = await syncedFolders(async () => {
    await Promise.all(digests.map((digest) => storage.delete(digest, { relaxed: true })));
  });
  expect(synced).toEqual([]);
  expect((await syncedFolders(() => storage.settleDeletions(digests))).toSorted()).toEqual([...shards].toSorted());
});

test('a folder in which somebody put something stays, and loses its blob all the same', async () => {
  const storage = new FilesystemBlobStorage(folder);
  const bytes = randomBytes(40);
  for (const relaxed of [true, false]) {
    await storage.put(digestOf(bytes), bytes);
    const place = dirname(String(storage.localFile(digestOf(bytes))));
    writeFileSync(join(place, 'note'), 'not ours');
    expect(await storage.delete(digestOf(bytes), { relaxed })).toBe(true);
    await storage.settleDeletions([digestOf(bytes)]);
    expect(readdirSync(place)).toEqual(['note']);
  }
});

test('no file stays open, whatever happens', async () => {
  const storage = new FilesystemBlobStorage(folder);
  const open = (): number => readdirSync('/proc/self/fd').length;
  const bytes = randomBytes(3_000_000);
  await storage.put(digestOf(bytes), bytes);
  const before = open();
  for (let round = 0; round < 20; round += 1) {
    await storage.read(digestOf(bytes));
    for await (const _ of await storage.read(digestOf(bytes))) break;
    const { state } = await appended(storage, bytes);
    await expect(storage.commit({ ...state, received: 4_000_000 }, digestOf(randomBytes(4)))).rejects.toThrow(UploadMissing);
    await expect(storage.append({ ...state, received: 4_000_000 }, once(bytes))).rejects.toThrow(UploadMissing);
    await storage.append(state, brokenSource());
    await storage.abort(state);
  }
  expect(open()).toBeLessThanOrEqual(before + 2);
});

(mayMount() ? describe : describe.skip)('on a full disk (a tmpfs of 8 MiB; skipped where this user may not mount one)', () => {
  let mount: string;
  beforeEach(() => {
    mount = join(folder, 'tiny');
    mkdirSync(mount);
    mountTmpfs(mount);
  });
  afterEach(() => {
    execFileSync('umount', [mount]);
  });

  test('an append says so, gives the space back, and can go on when there is some', async () => {
    const storage = new FilesystemBlobStorage(mount);
    const kept = randomBytes(1_000_000);
    const { state } = await appended(storage, kept);
    await expect(storage.append(state, once(Buffer.alloc(16_000_000)))).rejects.toMatchObject({ name: 'StorageError', kind: 'full' });
    expect(statSync(join(mount, 'haven/uploads', state.id)).size).toBe(1_000_000);
    const more = randomBytes(1_000_000);
    const next = await storage.append(state, once(more));
    await storage.commit(next.state, digestOf(Buffer.concat([kept, more])));
    expect(await storage.readAll(digestOf(Buffer.concat([kept, more])), 2_000_000)).toEqual(Buffer.concat([kept, more]));
  });

  test('put says so and leaves nothing; a source that hangs does not delay the answer', async () => {
    const storage = new FilesystemBlobStorage(mount);
    const bytes = Buffer.alloc(16_000_000);
    await expect(storage.put(digestOf(bytes), bytes)).rejects.toMatchObject({ kind: 'full' });
    expect(readdirSync(join(mount, 'haven/uploads'))).toEqual([]);
    const state = await storage.createUpload(randomUUID());
    await expect(storage.append(state, stubborn())).rejects.toMatchObject({ kind: 'full' });
  });

  test('a read-only disk fails the health check', async () => {
    const storage = new FilesystemBlobStorage(mount);
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    await expect(storage.health()).rejects.toMatchObject({ name: 'StorageError', kind: 'broken' });
    expect(() => new FilesystemBlobStorage(join(mount, 'other'))).toThrow('EROFS');
  });
});

function mountTmpfs(at: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', at], { stdio: 'pipe' });
}

/** Root may, but not in every container. */
function mayMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'haven-storage-'));
  try {
    mountTmpfs(place);
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
}

function link(inside: string): string {
  const path = join(inside, randomUUID());
  symlinkSync('/var', path);
  return path;
}

function file(inside: string): string {
  const path = join(inside, randomUUID());
  writeFileSync(path, '');
  chmodSync(path, 0o600);
  return path;
}

function linked(inside: string): string {
  const path = join(inside, randomUUID());
  mkdirSync(path);
  symlinkSync('/var', join(path, 'haven'));
  return path;
}

/** The paths of what is synced meanwhile, in order. */
async function syncedFolders(work: () => Promise<void>): Promise<string[]> {
  const file = await open(folder);
  const handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  const synced: string[] = [];
  const sync = jest.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
    await this.datasync();
    synced.push(readlinkSync(`/proc/self/fd/${this.fd}`));
  });
  try {
    await work();
  } finally {
    sync.mockRestore();
  }
  return synced;
}

async function appended(storage: FilesystemBlobStorage, bytes: Buffer) {
  return storage.append(await storage.createUpload(randomUUID()), once(bytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes);
}

async function* brokenSource(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(10);
  throw new Error('gone');
}

/** Gives until nobody takes, and then refuses to stop. */
async function* stubborn(): AsyncGenerator<Uint8Array> {
  try {
    for (let given = 0; given < 100; given += 1) yield Buffer.alloc(1_000_000);
  } finally {
    await new Promise(() => undefined);
  }
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.byteLength;
  return bytes;
}
