import { expect, test } from '@jest/globals';
import { metadataOf, readMetadata } from './project-metadata.js';

test.each([
  [{}, { public: undefined, metadata: {} }],
  [{ public: true }, { public: true, metadata: {} }],
  [{ public: true, metadata: { public: 'false' } }, { public: false, metadata: {} }],
  [{ metadata: { public: 'True', auto_scan: 'FALSE', severity: 'Negligible', prevent_vul: null } }, { public: true, metadata: { auto_scan: 'false', severity: 'none' } }],
])('%j', (request, change) => {
  expect(readMetadata(request)).toEqual(change);
});

test.each([{ public: 'yes' }, { auto_scan: '1' }, { severity: 'huge' }, { proxy_speed_kb: '5' }, { retention_id: '1' }])('%j is refused', (metadata) => {
  expect(() => readMetadata({ metadata })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});

test('what is kept is shown as text, and only text', () => {
  expect(metadataOf(true, { severity: 'low', odd: { nested: true }, public: 'false' })).toEqual({ severity: 'low', public: 'true' });
});
