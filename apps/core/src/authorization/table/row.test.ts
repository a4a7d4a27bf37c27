import { expect, test } from '@jest/globals';
import { read, write } from './row.js';

test('a row is read and written alike', () => {
  const text = '401 a, 403 nlg-, 200 dmps+y';
  expect([...read(text)].map(([letter, status]) => `${letter}${status}`).join(' ')).toBe('a401 n403 l403 g403 d200 m200 p200 s200 +200 -403 y200');
  expect(write(read(text))).toBe(text);
});

test.each(['401 a, 200 nlgdmps+', '200 anlgdmps+-yy', '200', '401a', '20 anlgdmps+-y', ''])('"%s" is no row', (text) => {
  expect(() => read(text)).toThrow(/is not a status|names . twice|does not name/);
});
