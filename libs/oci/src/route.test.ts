import { describe, expect, test } from '@jest/globals';
import { OciError } from './errors.js';
import { parseRoute } from './route.js';

const SHA256 = `sha256:${'a'.repeat(64)}`;
const SHA512 = `sha512:${'b'.repeat(128)}`;

describe('parseRoute', () => {
  test.each([
    ['/v2', { kind: 'base' }],
    ['/v2/', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/a/b/tags/list', { kind: 'tags', repository: 'a/b' }],
    ['/v2/a/b/manifests/latest', { kind: 'manifest', repository: 'a/b', reference: { tag: 'latest' } }],
    [`/v2/a/b/manifests/${SHA256}`, { kind: 'manifest', repository: 'a/b', reference: { digest: SHA256 } }],
    [`/v2/a/b/blobs/${SHA512}`, { kind: 'blob', repository: 'a/b', digest: SHA512 }],
    ['/v2/a/b/blobs/uploads', { kind: 'uploads', repository: 'a/b' }],
    ['/v2/a/b/blobs/uploads/', { kind: 'uploads', repository: 'a/b' }],
    ['/v2/a/b/blobs/uploads/-x_9', { kind: 'upload', repository: 'a/b', id: '-x_9' }],
    [`/v2/a/b/blobs/uploads/${'z'.repeat(128)}`, { kind: 'upload', repository: 'a/b', id: 'z'.repeat(128) }],
    [`/v2/a/b/referrers/${SHA256}`, { kind: 'referrers', repository: 'a/b', digest: SHA256 }],
  ])('reads %s', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  test.each([
    ['/v2/a/blobs/blobs/uploads/', { kind: 'uploads', repository: 'a/blobs' }],
    ['/v2/a/tags/list/tags/list', { kind: 'tags', repository: 'a/tags/list' }],
    ['/v2/a/manifests/manifests/manifests', { kind: 'manifest', repository: 'a/manifests', reference: { tag: 'manifests' } }],
    ['/v2/a/manifests/tags/list', { kind: 'tags', repository: 'a/manifests' }],
    ['/v2/a/blobs/uploads/manifests/list', { kind: 'manifest', repository: 'a/blobs/uploads', reference: { tag: 'list' } }],
    ['/v2/uploads/blobs/blobs/uploads/x', { kind: 'upload', repository: 'uploads/blobs', id: 'x' }],
    ['/v2/tags/list/tags/list', { kind: 'tags', repository: 'tags/list' }],
    [`/v2/referrers/x/referrers/${SHA256}`, { kind: 'referrers', repository: 'referrers/x', digest: SHA256 }],
    ['/v2/a/b/manifests/uploads', { kind: 'manifest', repository: 'a/b', reference: { tag: 'uploads' } }],
  ])('matches from the end: %s', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  test.each(['/', '', '/v1/', '/v2x', '/v2x/', '/V2/', '/v2/a', '/v2/a/b', '/v2/a/b/tags', '/v2/_catalog/', '/v2/a/b/tags/list/', '/v2/a/b/uploads/x', '/v2/uploads/x', '/api/v2.0/projects'])('does not know %j', (path) => {
    expect(parseRoute(path)).toEqual({ kind: 'unknown' });
  });

  test.each([
    '/v2/alpha/../manifests/x', '/v2/alpha/./x/manifests/x', '/v2/alpha/a..b/../x/manifests/x', '/v2/alpha/_uploads/manifests/x', '/v2/alpha/.git/manifests/x',
    '/v2/alpha%2Fapp/manifests/x', '/v2/Alpha/app/manifests/x', '/v2/\u0430lpha/app/manifests/x', '/v2/alpha/app./manifests/x', '/v2/alpha__/app/manifests/x',
    '/v2/alpha/app%20/manifests/x', '/v2/alpha/app /manifests/x', '/v2//alpha/app/manifests/x', '/v2/alpha//app/manifests/x', '/v2/alpha/app//manifests/x', '/v2/alpha/app/tags//list',
    '/v2/../../etc/passwd', '/v2/%2e%2e/x', '/v2//', '/v2/alpha/%6danifests/x', '/v2/manifests/x', '/v2/tags/list', '/v2/blobs/uploads/', '/v2/blobs/uploads/x', '/v2/blobs/uploads',
    `/v2/blobs/${SHA256}`, `/v2/${'a'.repeat(200)}/${'b'.repeat(60)}/tags/list`, '/v2/app/tags/list',
  ])('C-02, C-16: refuses the name in %j', (path) => {
    expect(failureOf(path)).toMatchObject({ code: 'NAME_INVALID', status: 400 });
  });

  test('says that a repository belongs into a project', () => {
    expect(failureOf('/v2/nginx/manifests/latest')?.message).toBe('A repository lives in a project: use project/name, for example library/nginx.');
  });

  test.each(['sha256:../../etc/passwd', `sha256:${'a'.repeat(63)}`, `SHA256:${'a'.repeat(64)}`, `md5:${'a'.repeat(32)}`, 'sha256:', ':'])('refuses the digest %j', (digest) => {
    expect(failureOf(`/v2/a/b/manifests/${digest.replaceAll('/', '')}`)?.code).toBe('DIGEST_INVALID');
    expect(failureOf(`/v2/a/b/blobs/${digest.replaceAll('/', '')}`)?.code).toBe('DIGEST_INVALID');
    expect(failureOf(`/v2/a/b/referrers/${digest.replaceAll('/', '')}`)?.code).toBe('DIGEST_INVALID');
  });

  test('a slash in a digest never reaches the digest', () => {
    expect(parseRoute(`/v2/a/b/blobs/sha256:../../etc/passwd`.replace('..', 'x').replace('..', 'y'))).toEqual({ kind: 'unknown' });
    expect(failureOf('/v2/a/b/blobs/sha256:../../etc/passwd')?.code).toBe('NAME_INVALID');
  });

  test.each(['..', '.hidden', '.INVALID_MANIFEST_NAME', 'a'.repeat(129), '', 'a%00', 'ü', '-a'])('refuses the tag %j as something that cannot exist', (tag) => {
    expect(failureOf(`/v2/a/b/manifests/${tag}`)).toMatchObject({ code: 'TAG_INVALID', status: 404 });
  });

  test.each(['a.b', 'a%2fb', 'a\0', '..', 'ü', 'z'.repeat(129)])('knows no upload %j', (id) => {
    expect(failureOf(`/v2/a/b/blobs/uploads/${id}`)).toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN', status: 404 });
  });

  // Near misses at and far beyond the limits take no time.
  test('M-09: is linear', () => {
    const hostile = [`/v2/${'a-'.repeat(500_000)}/manifests/x`, `/v2/${'a/'.repeat(500_000)}tags/list`, `/v2/${'/'.repeat(1_000_000)}`, `/v2/p/${'blobs/uploads/'.repeat(70_000)}x`, `/v2/a/b/manifests/${'_'.repeat(1_000_000)}`];
    expect(fastest(() => hostile.forEach(failureOf))).toBeLessThan(200);
  });
});

function failureOf(path: string): OciError | undefined {
  try {
    parseRoute(path);
    return undefined;
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
}

/** The fastest of three runs: a busy machine slows some of them, a bad algorithm slows all. */
function fastest(work: () => void): number {
  return Math.min(...[1, 2, 3].map(() => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }));
}
