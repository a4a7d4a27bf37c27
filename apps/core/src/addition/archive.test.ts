import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { findInArchive, type ArchiveSearch } from './archive.js';

const SEARCH: ArchiveSearch = { packing: 'tar', wanted: (name) => name === 'app/values.yaml', largestFile: 1000, largestArchive: 100_000, milliseconds: 5000 };

async function archive(entries: readonly (Partial<Header> & { readonly name: string; readonly content?: string })[]): Promise<Buffer> {
  const packed = pack();
  for (const { content = '', ...header } of entries) packed.entry({ ...header }, content);
  packed.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packed) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function find(bytes: Buffer, search: Partial<ArchiveSearch> = {}): Promise<string | undefined> {
  return (await findInArchive(Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]), { ...SEARCH, ...search }))?.toString();
}

const plain = await archive([{ name: 'app/Chart.yaml', content: 'name: app' }, { name: './app/values.yaml', content: 'a: 1' }, { name: 'app/README.md', content: 'x'.repeat(5000) }]);

describe('a file of an archive', () => {
  test.each([['tar', plain], ['tar+gzip', gzipSync(plain)], ['tar+zstd', zstdCompressSync(plain)]] as const)('is found in %s', async (packing, bytes) => {
    expect(await find(bytes, { packing })).toBe('a: 1');
    expect(await find(bytes, { packing, wanted: () => false })).toBeUndefined();
  });

  test('may be empty', async () => {
    expect(await find(await archive([{ name: 'app/values.yaml' }]))).toBe('');
  });

  test('M-12: is no link, device or folder', async () => {
    const bytes = await archive([
      { name: 'app/values.yaml', type: 'symlink', linkname: '/etc/passwd' }, { name: 'app/values.yaml', type: 'link', linkname: 'app/other' },
      { name: 'app/values.yaml', type: 'directory' }, { name: 'app/values.yaml', type: 'character-device' }, { name: '../app/values.yaml', content: 'outside' },
    ]);
    expect(await find(bytes)).toBeUndefined();
  });
});

describe('M-11: an archive that means harm', () => {
  const tooLarge = expect.objectContaining({ kind: 'too-large' });
  const damaged = expect.objectContaining({ kind: 'damaged' });

  test('is given up when the file is too large', async () => {
    await expect(find(plain, { wanted: (name) => name === 'app/README.md' })).rejects.toEqual(tooLarge);
  });

  test('is given up when it unpacks without end', async () => {
    const bomb = gzipSync(await archive([{ name: 'zeros', content: '\0'.repeat(5_000_000) }, { name: 'app/values.yaml', content: 'a: 1' }]));
    expect(bomb.length).toBeLessThan(10_000);
    await expect(find(bomb, { packing: 'tar+gzip' })).rejects.toEqual(tooLarge);
  });

  test('is given up when it takes too long', async () => {
    const never = new Readable({ read() { /* nothing ever comes */ } });
    await expect(findInArchive(never, { ...SEARCH, milliseconds: 50 })).rejects.toEqual(tooLarge);
    never.destroy();
  });

  test.each([
    ['noise', randomBytes(4000), 'tar'], ['noise instead of gzip', randomBytes(4000), 'tar+gzip'], ['noise instead of zstd', randomBytes(4000), 'tar+zstd'],
    ['a torn end', plain.subarray(0, 800), 'tar'], ['a torn gzip', gzipSync(plain).subarray(0, 60), 'tar+gzip'], ['two packings', gzipSync(gzipSync(plain)), 'tar+gzip'],
  ] as const)('is refused with %s', async (_name, bytes, packing) => {
    await expect(find(bytes, { packing })).rejects.toEqual(damaged);
  });

  test('is refused with a name of a gigabyte', async () => {
    const bytes = await archive([{ name: 'x', type: 'file', content: 'y' }]);
    const huge = Buffer.from(bytes);
    huge.write('L', 156, 'latin1');
    huge.write('7777777777\0', 124, 'latin1');
    let sum = 0;
    for (let at = 0; at < 512; at += 1) sum += at >= 148 && at < 156 ? 32 : (huge[at] ?? 0);
    huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    await expect(find(huge)).rejects.toEqual(damaged);
  });
});

test('an error of the source stays what it is', async () => {
  const broken = Readable.from((async function* () {
    yield plain.subarray(0, 512);
    throw new Error('the disk is gone');
  })());
  await expect(findInArchive(broken, SEARCH)).rejects.toThrow('the disk is gone');
});
