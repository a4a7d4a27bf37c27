import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../blob-storage.js';
import { UploadMissing } from '../storage-error.js';
import { formatSegments, MAX_SEGMENTS, objectsOf, parseSegments, segmentBytes } from './segments.js';

const MIB = 1024 * 1024;
const [A, B] = ['0123456789ab', 'ba9876543210'];

describe('the segments of an upload', () => {
  test('hold more than 200 GiB, and each but the last is large enough for S3', () => {
    const sizes = Array.from({ length: MAX_SEGMENTS }, (_, index) => segmentBytes(index));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(200 * 1024 * MIB);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(5 * MIB);
  });

  test('come back from JSON', () => {
    const segments = { runs: [{ token: A, count: 2 }, { token: B, count: 1 }], tail: { token: B, size: 7 }, outdated: { token: A, size: 9 } };
    const driver = JSON.parse(JSON.stringify(formatSegments(segments))) as JsonValue;
    expect(parseSegments({ id: 'up', received: 24 * MIB + 7, driver })).toEqual(segments);
    expect(objectsOf('up', segments)).toEqual([
      { key: `haven/uploads/up/${A}-0`, size: 8 * MIB }, { key: `haven/uploads/up/${A}-1`, size: 8 * MIB },
      { key: `haven/uploads/up/${B}-2`, size: 8 * MIB }, { key: `haven/uploads/up/${B}-tail`, size: 7 },
    ]);
    expect(parseSegments({ id: 'up', received: 0 })).toEqual({ runs: [] });
  });

  test.each<[string, number, JsonValue | undefined]>([
    ['none for bytes that are claimed', 1, undefined],
    ['another sum', 8 * MIB + 1, { runs: [[A, 1]] }],
    ['the state of another store', 5, { offset: 5 }],
    ['a path in a token', 8 * MIB, { runs: [['../../x', 1]] }],
    ['no number', 8 * MIB, { runs: [[A, '1']] }],
    ['too many', 8 * MIB, { runs: [[A, 10_001]] }],
    ['a negative tail', 8 * MIB, { runs: [[A, 1]], tail: [B, -1] }],
    ['text', 0, 'runs'],
    ['null', 0, null],
  ])('are refused when they are wrong: %s', (_, received, driver) => {
    expect(() => parseSegments({ id: 'up', received, ...(driver === undefined ? {} : { driver }) })).toThrow(UploadMissing);
  });
});
