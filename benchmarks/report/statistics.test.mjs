import { describe, expect, test } from '@jest/globals';
import { median, pairedRatio, percentile, rotated, spread } from './statistics.mjs';

describe('median and percentile', () => {
  test('the middle value does not depend on the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });
  test('an even count takes the mean of the two middle values', () => {
    expect(median([1, 2, 4, 100])).toBe(3);
  });
  test('a percentile is interpolated between neighbours', () => {
    const values = Array.from({ length: 101 }, (_, index) => index);
    expect(percentile(values, 0.95)).toBeCloseTo(95);
    expect(percentile([10, 20], 0.95)).toBeCloseTo(19.5);
  });
  test('the input keeps its order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
  test('nothing has no median', () => {
    expect(() => median([])).toThrow('no values');
  });
});

describe('ratio of alternating rounds', () => {
  test('more is better: ours over theirs', () => {
    expect(pairedRatio([10, 20, 30], [5, 10, 15], 'more')).toBe(2);
  });
  test('less is better: theirs over ours', () => {
    expect(pairedRatio([5, 10], [10, 20], 'less')).toBe(2);
  });
  test('a machine that slows down in the middle does not move the ratio', () => {
    expect(pairedRatio([100, 100, 10, 10, 10], [50, 50, 5, 5, 5], 'more')).toBe(2);
  });
  test('rounds that are missing on one side are an error', () => {
    expect(() => pairedRatio([1, 2], [1], 'more')).toThrow('same rounds');
  });
});

test('spread is the range relative to the median', () => {
  expect(spread([90, 100, 110])).toBeCloseTo(0.2);
});

test('every peer comes first once', () => {
  expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
});
