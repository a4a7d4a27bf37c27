import { expect, test } from '@jest/globals';
import { primaryGroupFilter } from './primary-group.js';

const SID = Buffer.from('01020000000000052000000001000000', 'hex');

test('the primary group is found by the account\'s SID with another end', () => {
  expect(primaryGroupFilter(SID, '513')).toBe('(objectSid=\\01\\02\\00\\00\\00\\00\\00\\05\\20\\00\\00\\00\\01\\02\\00\\00)');
  expect(SID.toString('hex')).toMatch(/01000000$/);
});

test.each([
  [undefined, '513'], [SID, undefined], [SID, ''], [SID, '-1'], [SID, '513)(cn=*'], [SID, '4294967296'], [SID.subarray(0, 15), '513'], [Buffer.alloc(0), '513'],
  [Buffer.alloc(8), '513'], [Buffer.alloc(16), '513'],
])('%j with %j makes none', (sid, group) => {
  expect(primaryGroupFilter(sid, group)).toBeUndefined();
});
