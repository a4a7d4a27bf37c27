import { describe, expect, test } from '@jest/globals';
import { formatLine, MAX_LINE_BYTES } from './log-line.js';

const TIME = new Date('2026-01-02T03:04:05.678Z');

function lineOf(fields: Record<string, unknown>, message = 'hello'): Record<string, unknown> {
  const text = formatLine(TIME, 'info', 'registry', message, fields);
  expect(text).not.toContain('\n');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_LINE_BYTES);
  return JSON.parse(text) as Record<string, unknown>;
}

describe('a log line', () => {
  test('starts with time, level, service and message', () => {
    expect(formatLine(TIME, 'warn', 'registry', 'hello', { requestId: 'r1' }))
      .toBe('{"time":"2026-01-02T03:04:05.678Z","level":"warn","service":"registry","message":"hello","requestId":"r1"}');
  });

  test('keeps its own time, level, service and message when fields have these names', () => {
    expect(lineOf({ service: 'other', level: 'loud' })).toMatchObject({ service: 'registry', level: 'info', field_service: 'other', field_level: 'loud' });
  });

  test('tells errors with code and cause', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const { error } = lineOf({ error: new TypeError('no answer', { cause }) }) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ name: 'TypeError', message: 'no answer', cause: { message: 'refused', code: 'ECONNREFUSED' } });
    expect(error['stack']).toContain('log-line.test');
  });

  test.each(['authorization', 'Authorization', 'password', 'adminPassword', 'clientSecret', 'refresh_token', 'Set-Cookie', 'api_key'])('masks %s', (key) => {
    expect(JSON.stringify(lineOf({ deep: { [key]: 'hunter2' } }))).not.toContain('hunter2');
    expect(JSON.stringify(lineOf({ [key]: { value: 'hunter2' } }))).not.toContain('hunter2');
  });

  test('keeps numbers whose name only sounds secret', () => {
    expect(lineOf({ tokenSeconds: 1800 })).toMatchObject({ tokenSeconds: 1800 });
  });

  test('masks credentials in text', () => {
    const line = JSON.stringify(lineOf({ url: 'postgres://haven:hunter2@db/haven', header: 'Basic aHVudGVyMjpodW50ZXIy' }, 'sent Bearer abcdefgh.ijkl'));
    expect(line).not.toMatch(/hunter2|aHVudGVy|abcdefgh/);
    expect(line).toContain('db/haven');
  });

  test('survives cycles, deep nesting, throwing getters, proxies and values JSON does not know', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    let deep: unknown = 'end';
    for (let level = 0; level < 10_000; level++) deep = { deep };
    const hostile = new Proxy({}, { ownKeys() { throw new Error('no'); } });
    const throwing = Object.defineProperty({}, 'x', { enumerable: true, get() { throw new Error('no'); } });
    const line = lineOf({ cycle, deep, hostile, throwing, big: 10n, symbol: Symbol('x'), call: () => 1, bytes: new Uint8Array(5), set: new Set([1]), map: new Map([['a', 1]]), bad: new Date(NaN) });
    expect(line).toMatchObject({ cycle: { self: '[circular]' }, throwing: { x: '[unreadable]' }, big: '10', symbol: '[symbol]', call: '[function]', bytes: '[5 bytes]', set: [1], map: { a: 1 }, bad: '[invalid date]' });
  });

  test('logs a value twice when it is no cycle', () => {
    const shared = { a: 1 };
    expect(lineOf({ one: shared, two: shared })).toMatchObject({ one: { a: 1 }, two: { a: 1 } });
  });

  test.each([
    ['a huge text', { text: 'x'.repeat(10_000_000) }],
    ['many texts', Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'x'.repeat(3000)]))],
    ['characters that JSON escapes', { text: '\u0000'.repeat(100_000), more: '\u0000'.repeat(4000), third: '\u0000'.repeat(4000) }],
    ['wide characters', { a: '€'.repeat(4000), b: '€'.repeat(4000), c: '€'.repeat(4000) }],
    ['a long list', { list: Array.from({ length: 1_000_000 }, () => 1) }],
    ['a long key', { ['k'.repeat(1_000_000)]: 1 }],
  ])('is bounded for %s', (_name, fields) => {
    expect(lineOf({ requestId: 'r1', ...fields }, 'm'.repeat(1_000_000))).toMatchObject({ requestId: 'r1' });
  });
});
