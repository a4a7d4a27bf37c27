import { describe, expect, test } from '@jest/globals';
import { metadataOf, readMetadata, readOneSetting } from './project-metadata.js';

describe('the settings in a project’s body', () => {
  test.each([
    [{}, { public: undefined, metadata: {} }],
    [{ public: true }, { public: true, metadata: {} }],
    [{ public: true, metadata: { public: 'false' } }, { public: false, metadata: {} }],
    [{ metadata: { public: 'True', auto_scan: 'FALSE', severity: 'Negligible', prevent_vul: null } }, { public: true, metadata: { auto_scan: 'false', severity: 'none' } }],
    [{ metadata: { proxy_speed_kb: '5', max_upstream_conn: 'x', retention_id: '7' } }, { public: undefined, metadata: {} }],
  ])('%j', (request, change) => {
    expect(readMetadata(request)).toEqual(change);
  });

  test.each([{ public: 'yes' }, { auto_scan: '1' }, { severity: 'huge' }])('%j is refused', (metadata) => {
    expect(() => readMetadata({ metadata })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

describe('one setting', () => {
  test.each([
    [{ auto_scan: '1' }, ['auto_scan', 'true']], [{ public: 'F' }, ['public', 'false']], [{ severity: 'High' }, ['severity', 'high']], [{ severity: 'negligible' }, ['severity', 'none']],
    [{ prevent_vul: 'True' }, ['prevent_vul', 'true']],
  ])('%j is %j', (request, setting) => {
    expect(readOneSetting(request)).toEqual(setting);
  });

  test.each([
    undefined, {}, { auto_scan: 'true', public: 'true' }, { auto_scan: 'yes' }, { auto_scan: 'tRue' }, { auto_scan: '' }, { severity: '' }, { unknown: 'true' }, { retention_id: '1' },
    { proxy_speed_kb: '5' }, { projectScanner: 'x' }, { __proto__x: 'true' }, { constructor: 'true' }, { '': 'true' },
  ] as readonly (Record<string, string> | undefined)[])('%j is refused', (request) => {
    expect(() => readOneSetting(request)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});

test('what is kept is shown as text, and only text', () => {
  expect(metadataOf(true, { severity: 'low', odd: { nested: true }, public: 'false', retention_id: '9' })).toEqual({ severity: 'low', public: 'true' });
  expect(metadataOf(false, {}, 3)).toEqual({ public: 'false', retention_id: '3' });
});
