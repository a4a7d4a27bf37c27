import { expect, test } from '@jest/globals';
import { oneLine } from './audited-events.js';

test.each([
  ['alpha/app:1', 'alpha/app:1'],
  ['größe 漢字 🐳', 'größe 漢字 🐳'],
  ['a\nb\r\tc\0\u001B[31m\u007F\u0085', 'a\uFFFDb\uFFFD\uFFFDc\uFFFD\uFFFD[31m\uFFFD\uFFFD'],
  ['a\u2028b\u2029c', 'a\uFFFDb\uFFFDc'],
  ['\u202Egnp.exe\u2066x\u200F', '\uFFFDgnp.exe\uFFFDx\uFFFD'],
  ['\uD83D alone', '\uFFFD alone'],
])('%j is one line', (text, line) => {
  expect(oneLine(text, 100)).toBe(line);
});

test('a line that is cut through a character stays text', () => {
  expect(oneLine('ab🐳', 3)).toBe('ab\uFFFD');
});
