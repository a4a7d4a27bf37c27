import { describe, expect, test } from '@jest/globals';
import { parseScopes, ScopeError } from './scope.js';

describe('parseScopes', () => {
  test.each([
    [['repository:a/b:pull,push'], [{ type: 'repository', name: 'a/b', actions: ['pull', 'push'] }]],
    [['repository:a/b:pull registry:catalog:*', 'repository:c/d:push'], [{ type: 'repository', name: 'a/b', actions: ['pull'] }, { type: 'registry', name: 'catalog', actions: ['*'] }, { type: 'repository', name: 'c/d', actions: ['push'] }]],
    [['repository:host:5000/a/b:pull'], [{ type: 'repository', name: 'host:5000/a/b', actions: ['pull'] }]],
    [['repository:a/b'], [{ type: 'repository', name: 'a/b', actions: [] }]],
    [['repository'], [{ type: 'repository', name: '', actions: [] }]],
    [['repository:a/b:'], [{ type: 'repository', name: 'a/b', actions: [] }]],
    [['repository:a/b:pull,,pull,'], [{ type: 'repository', name: 'a/b', actions: ['pull'] }]],
    [['repository:a/b:pull', 'repository:a/b:push,pull'], [{ type: 'repository', name: 'a/b', actions: ['pull', 'push'] }]],
    [['repository:../alpha/app:pull repository:ALPHA/app:pull'], [{ type: 'repository', name: '../alpha/app', actions: ['pull'] }, { type: 'repository', name: 'ALPHA/app', actions: ['pull'] }]],
    [['::', '__proto__:constructor:toString'], [{ type: '', name: '', actions: [] }, { type: '__proto__', name: 'constructor', actions: ['toString'] }]],
    [['', '   '], []],
    [[], []],
  ])('%j', (texts, scopes) => {
    expect(parseScopes(texts)).toEqual(scopes);
  });

  test('type and name are not mixed up when they are compared', () => {
    expect(parseScopes(['a:b:c:x', 'a:b'])).toHaveLength(2);
  });

  test.each([
    ['101 scopes', ['repository:a/b:pull '.repeat(101)]],
    ['101 parameters', Array.from({ length: 101 }, () => 'x')],
    ['an overlong scope', [`repository:${'a'.repeat(512)}:pull`]],
    ['a megabyte', ['x '.repeat(500_000)]],
    ['a megabyte without spaces', [':'.repeat(1_000_000)]],
  ])('refuses %s at once', (_what, texts) => {
    expect(fastest(() => expect(() => parseScopes(texts)).toThrow(ScopeError))).toBeLessThan(100);
  });

  test('takes 100 scopes', () => {
    expect(parseScopes([Array.from({ length: 100 }, (_, index) => `repository:a/${index}:pull`).join(' ')])).toHaveLength(100);
  });
});

/** The fastest of three runs: a busy machine slows some of them, a bad algorithm slows all. */
function fastest(work: () => void): number {
  return Math.min(...[1, 2, 3].map(() => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }));
}
