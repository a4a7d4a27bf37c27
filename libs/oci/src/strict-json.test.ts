import { describe, expect, test } from '@jest/globals';
import { parseStrictJson, StrictJsonError } from './strict-json.js';

const MEBIBYTE = 1024 * 1024;

function manyKeys(count: number): string {
  return Array.from({ length: count }, (_, index) => `"${index.toString(36)}":0`).join();
}

describe('parseStrictJson', () => {
  test.each(['{}', '[]', 'null', '1e0', '"\\u00e9\\ud83d\\ude00"', ' {"a" : [1, {"a": 2}, {"a": 3}], "b":{"a":"{\\"a\\":1,\\"a\\":2}"}} ', '{"":1," ":2}', '["a","a"]', '{"a":"b","b":"a"}', '{"__proto__":1,"constructor":2}', '{"a":{},"b":{},"c":[{"a":1},["a","a"]]}'])(
    'reads %s as JSON.parse does', (text) => {
      expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
    },
  );

  test.each([
    ['{"a":1,"a":1}', 'key "a" twice'],
    ['{"a":1,"\\u0061":2}', 'key "a" twice'],
    ['{"x":[{"y":{"a":1,"b":2,"a":3}}]}', 'key "a" twice'],
    ['{"a":{"b":1},"b":2,"a":3}', 'key "a" twice'],
    ['{"a":[1,2],"a":3}', 'key "a" twice'],
    ['{"__proto__":1,"__proto__":2}', 'key "__proto__" twice'],
    ['{"\\/":1,"/":2}', 'key "/" twice'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseStrictJson(Buffer.from(text))).toThrow(reason);
  });

  test.each(['', '{', '{"a":1}}', '{"a":1}x', "{'a':1}", '{"a":01}', '{"a":NaN}', '{"a":1,}', '"', '"\\', '{"\\x":1}', '{"a\n":1}', '// x\n{}', '\u00a0{}', ']', ',', '}{'])('refuses %j, which is not JSON', (text) => {
    expect(() => parseStrictJson(Buffer.from(text))).toThrow(StrictJsonError);
  });

  test('refuses a byte order mark and what is not UTF-8', () => {
    expect(() => parseStrictJson(Buffer.from('\ufeff{}'))).toThrow('byte order mark');
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow('UTF-8');
    expect(() => parseStrictJson(Buffer.from([0x22, 0xc0, 0x80, 0x22]))).toThrow('UTF-8');
    expect(() => parseStrictJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toThrow('UTF-8');
    expect(() => parseStrictJson(Buffer.from('{}', 'utf16le'))).toThrow(StrictJsonError);
  });

  test('nests to 64 levels', () => {
    expect(() => parseStrictJson(Buffer.from('['.repeat(64) + ']'.repeat(64)))).not.toThrow();
    expect(() => parseStrictJson(Buffer.from('['.repeat(65) + ']'.repeat(65)))).toThrow('deeper than 64');
  });

  test('takes 10,000 keys in one object and no more', () => {
    const keys = Array.from({ length: 10_001 }, (_, index) => `"${index}":0`);
    expect(() => parseStrictJson(Buffer.from(`{${keys.slice(1).join()}}`))).not.toThrow();
    expect(() => parseStrictJson(Buffer.from(`{${keys.join()}}`))).toThrow('more than 10000 keys');
  });

  test.each([
    ['200,000 arrays', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['a deep object', '{"a":'.repeat(200_000)],
    ['4 MiB of quotes', '"'.repeat(4 * MEBIBYTE)],
    ['4 MiB of backslashes', `"${'\\'.repeat(4 * MEBIBYTE)}`],
    ['4 MiB of spaces', ' '.repeat(4 * MEBIBYTE)],
    ['a string of 4 MiB', `"${'a'.repeat(4 * MEBIBYTE)}"`],
    ['unicode escapes', `{"${'\\u0061'.repeat(600_000)}":1}`],
    ['350,000 keys in one object', `{${manyKeys(350_000)}}`],
    ['350,000 keys in many objects', `[${Array.from({ length: 70 }, () => `{${manyKeys(5000)}}`).join()}]`],
    ['one key again and again', `{${'"a":0,'.repeat(600_000)}"b":0}`],
  ])('M-04: takes little time for %s', (_what, text) => {
    const bytes = Buffer.from(text);
    expect(fastest(() => tolerate(bytes))).toBeLessThan(1500);
  });
});

/** Parses, whether the text is good or refused. */
function tolerate(bytes: Uint8Array): void {
  try {
    parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
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
