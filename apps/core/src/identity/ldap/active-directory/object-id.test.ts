import { describe, expect, test } from '@jest/globals';
import { filterBytes, guidText, primaryGroupSid } from './object-id.js';

const SID = Buffer.from('010500000000000515000000848d4e3082d3673278244919f4010000', 'hex');

describe('what a domain tells its objects apart by', () => {
  test('a GUID is written as the domain\'s own programs write it', () => {
    expect(guidText(Buffer.from('b6ea21f8ea6eba46a16ed9c4b4896a70', 'hex'))).toBe('f821eab6-6eea-46ba-a16e-d9c4b4896a70');
    expect(guidText(Buffer.alloc(16))).toBe('00000000-0000-0000-0000-000000000000');
    for (const length of [0, 15, 17]) expect(guidText(Buffer.alloc(length))).toBeUndefined();
  });

  test('a primary group has the account\'s SID but for the last part', () => {
    const sid = primaryGroupSid(SID, '513') ?? Buffer.alloc(0);
    expect(filterBytes(sid)).toBe(filterBytes(SID).replace(/\\f4\\01\\00\\00$/, '\\01\\02\\00\\00'));
    expect(SID.readUInt32LE(SID.length - 4)).toBe(500);
  });

  test.each([[SID, ''], [SID, '-1'], [SID, '513)(cn=*'], [SID, '4294967296'], [SID.subarray(0, 27), '513'], [Buffer.alloc(0), '513'], [Buffer.alloc(8), '513']])('%j with %j makes none', (sid, group) => {
    expect(primaryGroupSid(sid, group)).toBeUndefined();
  });
});
