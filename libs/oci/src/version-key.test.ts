import { describe, expect, test } from '@jest/globals';
import { versionKey } from './version-key.js';

function sorted(tags: readonly string[]): string[] {
  return [...tags].sort((a, b) => (versionKey(a) < versionKey(b) ? -1 : versionKey(a) > versionKey(b) ? 1 : 0));
}

describe('version keys', () => {
  test.each([
    [['1.8', '1.9', '1.10', '1.11', '2.0', '10.0']],
    [['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.0_build5', '1.0.1']],
    [['2.0.0-rc1', '2.0.0-rc2', '2.0.0-rc10', 'v2.0.0', '2.0.1-rc1', 'v2.0.1']],
    [['1.2-rc1', '1.2', '1.2.1-rc1', '1.2.1', '1.2.1.4', '1.3']],
    [['3.9a2', '3.9b1', '3.9rc1', '3.9', '3.9final', '3.10']],
    [['1.2.Beta1', '1.2', '1.2.Final']],
    [['1', '2', '99999999999999999998', '99999999999999999999', '100000000000000000000']],
    [['alpine', 'latest', 'release-1.10', 'release-1.9', 'vanilla', '1.0', '2024-02-01', '2024-02-01-2', '20240101', '20241231']],
    [['20240101', '20240101-1', '20240102']],
  ])('put %j in this order', (tags) => {
    expect(sorted([...tags].reverse())).toEqual(tags);
  });

  test('are the same for what means the same', () => {
    for (const [a, b] of [['v1.2', '1.2'], ['V1.2', '1.2'], ['1.0', '1'], ['1.0.0-rc1', '1-rc.1'], ['01.2', '1.2']] as const) expect(versionKey(a)).toBe(versionKey(b));
    expect(versionKey('1.2')).not.toBe(versionKey('1.20'));
  });

  test('are short and never empty, whatever the tag', () => {
    const characters = ['0', '1', '9', '.', '-', '_', 'a', 'Z', 'v', 'rc'];
    let seed = 7;
    const next = (most: number): number => (seed = (seed * 48271) % 2147483647) % most;
    const tags = Array.from({ length: 3000 }, () => Array.from({ length: 1 + next(128) }, () => characters[next(characters.length)]).join('').slice(0, 128));
    for (const tag of [...tags, '1.'.repeat(64), '1a'.repeat(64), '1-'.repeat(64), '9'.repeat(128), 'v', '1', '0.0.0.0', '.']) {
      expect(versionKey(tag)).toMatch(/^[012][\x20-\x7e]{0,299}$/);
    }
    expect(sorted(tags)).toHaveLength(tags.length);
  });
});
