import { describe, expect, test } from '@jest/globals';
import { effectiveItems, readAllowlist, usesSystemAllowlist } from './allowlist.js';

describe('readAllowlist', () => {
  test.each([
    [{}, { items: [], expiresAt: undefined }],
    [{ items: null, expires_at: null }, { items: [], expiresAt: undefined }],
    [{ items: [{ cve_id: ' CVE-2026-1 ' }, { cve_id: 'CVE-2026-2' }], expires_at: 5 }, { items: ['CVE-2026-1', 'CVE-2026-2'], expiresAt: 5 }],
  ])('%j', (request, list) => {
    expect(readAllowlist(request)).toEqual(list);
  });

  test.each([[['']], [['  ']], [['CVE-1', 'CVE-1']], [['CVE-1', 'CVE-1 ']]])('%j is refused', (ids) => {
    expect(() => readAllowlist({ items: ids.map((id) => ({ cve_id: id })) })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

test.each([[undefined, ['CVE-1']], [1_000, []], [1_001, ['CVE-1']]])('a list that expires at %s has %j in second 1000', (expiresAt, items) => {
  expect(effectiveItems({ items: ['CVE-1'], expiresAt }, new Date(1_000_000))).toEqual(items);
});

test.each([[{}, true], [{ reuse_sys_cve_allowlist: 'true' }, true], [{ reuse_sys_cve_allowlist: 'false' }, false]])('with %j the installation’s list counts: %s', (metadata, reused) => {
  expect(usesSystemAllowlist(metadata)).toBe(reused);
});
