import { describe, expect, test } from '@jest/globals';
import type { Digest } from '@haven/oci';
import type { StoredBlob } from '@haven/storage';
import { compareBlobs } from './compare-blobs.js';
import type { CatalogBlob, ComparedBlob } from './finding.js';
import { isWorthReading, suspicionOf } from './suspicion.js';

const BEFORE = new Date('2026-01-01T00:00:00Z');
const OLD = new Date('2025-12-31T23:59:59Z');

function stored(digest: string, size = 1, modifiedAt = OLD): StoredBlob {
  return { digest: digest as Digest, size, modifiedAt };
}

function row(digest: string, size = 1, state: CatalogBlob['state'] = 'present'): CatalogBlob {
  return { digest: digest as Digest, size, state, createdAt: '2025-01-01 00:00:00.000001+00' };
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  yield* items;
}

async function compared(left: readonly string[], right: readonly string[]): Promise<string[]> {
  const seen: string[] = [];
  for await (const pair of compareBlobs(each(left.map((digest) => stored(digest))), each(right.map((digest) => row(digest))))) {
    seen.push(`${pair.digest}${pair.stored === undefined ? '' : ' stored'}${pair.row === undefined ? '' : ' known'}`);
  }
  return seen;
}

describe('what has the same digest', () => {
  test.each<[string[], string[], string[]]>([
    [[], [], []],
    [['a', 'b'], [], ['a stored', 'b stored']],
    [[], ['a', 'b'], ['a known', 'b known']],
    [['a', 'c', 'd'], ['b', 'c', 'e'], ['a stored', 'b known', 'c stored known', 'd stored', 'e known']],
    [['sha256:f', 'sha512:0'], ['sha512:0', 'sha512:1'], ['sha256:f stored', 'sha512:0 stored known', 'sha512:1 known']],
  ])('%j and %j is brought together', async (left, right, expected) => {
    expect(await compared(left, right)).toEqual(expected);
  });

  test('is brought together as an ordinary join would do it, whatever there is', async () => {
    for (let round = 0; round < 200; round += 1) {
      const some = (): string[] => Array.from({ length: 20 }, (_, index) => String(index).padStart(2, '0')).filter(() => Math.random() < 0.4);
      const [left, right] = [some(), some()];
      const expected = [...new Set([...left, ...right])].sort().map((digest) => `${digest}${left.includes(digest) ? ' stored' : ''}${right.includes(digest) ? ' known' : ''}`);
      expect(await compared(left, right)).toEqual(expected);
    }
  });

  test('both sides are closed when nobody wants more, and when one of them fails', async () => {
    let closed = 0;
    async function* endless(): AsyncGenerator<StoredBlob, void, undefined> {
      try {
        for (let index = 0; ; index += 1) yield stored(String(index).padStart(9, '0'));
      } finally {
        closed += 1;
      }
    }
    async function* failing(): AsyncGenerator<CatalogBlob, void, undefined> {
      yield row('000000000');
      throw new Error('the database is away');
    }
    for await (const _pair of compareBlobs(endless(), each([]))) break;
    expect(closed).toBe(1);
    await expect(async () => { for await (const _pair of compareBlobs(endless(), failing())) continue; }).rejects.toThrow('the database is away');
    expect(closed).toBe(2);
  });
});

describe('what looks wrong', () => {
  const pair = (has: StoredBlob | undefined, known: CatalogBlob | undefined): ComparedBlob => ({ digest: 'sha256:0' as Digest, stored: has, row: known });

  test.each<[string, ComparedBlob, string | undefined]>([
    ['the same on both sides', pair(stored('x'), row('x')), undefined],
    ['old bytes without a row', pair(stored('x'), undefined), 'orphan'],
    ['bytes without a row as old as the grace time', pair(stored('x', 1, BEFORE), undefined), 'young'],
    ['a row without bytes', pair(undefined, row('x')), 'missing'],
    ['a row of other size', pair(stored('x', 2), row('x')), 'wrong-size'],
    ['a row that is being deleted, without bytes', pair(undefined, row('x', 1, 'deleting')), undefined],
    ['a row that is being deleted, with bytes of another size', pair(stored('x', 2), row('x', 1, 'deleting')), undefined],
    ['a lost row without bytes', pair(undefined, row('x', 1, 'lost')), 'missing'],
    ['a lost row of other size', pair(stored('x', 2), row('x', 1, 'lost')), 'wrong-size'],
    ['a lost row of the same size, of which only the bytes can tell', pair(stored('x'), row('x', 1, 'lost')), undefined],
  ])('%s: %#', (_name, compare, expected) => {
    const suspicion = suspicionOf(compare, BEFORE);
    expect(typeof suspicion === 'object' ? suspicion.kind : suspicion).toBe(expected);
  });

  test('only what both sides have in the same size is worth reading', () => {
    const pairs = [
      pair(stored('x'), row('x')), pair(stored('x', 2), row('x')), pair(stored('x'), row('x', 1, 'deleting')), pair(stored('x'), undefined), pair(undefined, row('x')),
      pair(stored('x'), row('x', 1, 'lost')), pair(stored('x', 2), row('x', 1, 'lost')), pair(undefined, row('x', 1, 'lost')),
    ];
    expect(pairs.map((compare) => isWorthReading(compare, true))).toEqual([true, false, false, false, false, true, false, false]);
    expect(pairs.map((compare) => isWorthReading(compare, false))).toEqual([false, false, false, false, false, true, false, false]);
  });
});
