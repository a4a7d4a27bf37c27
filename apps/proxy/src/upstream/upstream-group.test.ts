import { describe, expect, test } from '@jest/globals';
import { UpstreamGroup } from './upstream-group.js';
import type { Upstream } from './upstream.js';

function group(count: number, connections = 2): UpstreamGroup {
  return new UpstreamGroup('registry', Array.from({ length: count }, (_, at) => `http://127.0.0.1:${at + 1}`), '/v2/', { connections, idleMs: 1000 });
}

describe('UpstreamGroup', () => {
  test('picks the replica with the fewest requests under way, and ties go round', () => {
    const three = group(3, 10);
    const [first, second, third] = three.members as [Upstream, Upstream, Upstream];
    first.pending = 1;
    expect(new Set([three.pick(), three.pick(), three.pick(), three.pick()])).toEqual(new Set([second, third]));
    second.pending = 5;
    third.pending = 5;
    expect(three.pick()).toBe(first);
  });

  test('passes over replicas that are down, full or tried already', () => {
    const three = group(3);
    const [first, second, third] = three.members as [Upstream, Upstream, Upstream];
    first.markDown('refused');
    second.pending = 2;
    expect(three.pick()).toBe(third);
    first.markUp();
    expect(three.pick([third])).toBe(first);
    expect(three.pick([first, third])).toBeUndefined();
  });

  test('tries one that is believed to be down before it gives up', () => {
    const two = group(2);
    const [first, second] = two.members as [Upstream, Upstream];
    first.markDown('refused');
    second.markDown('refused');
    expect([first, second]).toContain(two.pick());
    expect(two.pick([first])).toBe(second);
    expect(two.pick([first, second])).toBeUndefined();
  });

  test('works while one replica works, and says why none does', async () => {
    const two = group(2);
    two.members[0]?.markDown('connection refused');
    await expect(two.check()).resolves.toBeUndefined();
    two.members[1]?.markDown('it answered 503');
    await expect(two.check()).rejects.toThrow('http://127.0.0.1:1: connection refused; http://127.0.0.1:2: it answered 503');
  });
});
