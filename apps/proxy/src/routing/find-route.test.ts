import { describe, expect, test } from '@jest/globals';
import { findRoute } from './find-route.js';

describe('findRoute', () => {
  test.each([
    ['/v2', 'v2', 'registry'], ['/v2/', 'v2', 'registry'], ['/v2/_catalog', 'v2', 'registry'], ['/v2/a/b/tags/list', 'v2', 'registry'], ['/v2/a/b/referrers/sha256:0', 'v2', 'registry'],
    ['/v2/a/b/manifests/latest', 'manifest', 'registry'], ['/v2/a/blobs/manifests/latest', 'manifest', 'registry'], ['/v2/a/b/blobs/sha256:0', 'blob', 'registry'],
    ['/v2/a/manifests/blobs/sha256:0', 'blob', 'registry'], ['/v2/a/b/blobs/uploads/', 'upload', 'registry'], ['/v2/a/b/blobs/uploads', 'upload', 'registry'],
    ['/v2/a/b/blobs/uploads/0a-1', 'upload', 'registry'], ['/v2/uploads/manifests/x', 'manifest', 'registry'],
    ['/api', 'api', 'core'], ['/api/v2.0/projects', 'api', 'core'], ['/api/version', 'api', 'core'], ['/service/token', 'token', 'core'], ['/c/login', 'sign-in', 'core'],
    ['/devcenter', 'devcenter', 'core'], ['/devcenter-api-2.0', 'devcenter', 'core'], ['/', 'portal', 'core'], ['/harbor/projects', 'portal', 'core'], ['/v20', 'portal', 'core'], ['/V2/', 'portal', 'core'],
    ['/v1', 'none', undefined], ['/v1/_ping', 'none', undefined], ['/service/notifications', 'none', undefined], ['/service/notifications/jobs', 'none', undefined], ['/service/', 'none', undefined],
    ['/service/token/x', 'none', undefined], ['/api/internal/renameadmin', 'none', undefined], ['/livez', 'none', undefined], ['/readyz', 'none', undefined], ['/metrics', 'none', undefined],
  ])('%s is %s of %s', (path, name, upstream) => {
    const route = findRoute(path);
    expect([route.name, route.upstream]).toEqual([name, upstream]);
  });

  test('only uploads take bodies without a limit, and only manifests and the API more than 64 KiB', () => {
    expect(findRoute('/v2/a/b/blobs/uploads/x').bodyBytes).toBe(Number.MAX_SAFE_INTEGER);
    expect(findRoute('/v2/a/b/manifests/x').bodyBytes).toBe(4 * 1024 * 1024);
    expect(findRoute('/v2/a/b/blobs/sha256:0').bodyBytes).toBe(64 * 1024);
    for (const form of ['/c/login', '/c/userExists', '/service/token']) expect(findRoute(form).bodyBytes).toBe(64 * 1024);
    expect(findRoute('/api/v2.0/projects').bodyBytes).toBe(10 * 1024 * 1024);
  });
});
