import { describe, expect, test } from '@jest/globals';
import { externalNameFault, foldedName, storedName } from './external-name.js';

const rules = { builtIn: 'admin', robotPrefix: 'robot$' };

test('commas become underscores', () => {
  expect(storedName('Doe, Jane')).toBe('Doe_ Jane');
});

describe('names that can be had', () => {
  test.each(['jane', 'jane.doe@example.org', 'Jäne', 'o(brien)*\\ é', 'administrator', 'HAVEN\\jane'])('%j', (name) => {
    expect(externalNameFault(name, rules)).toBeUndefined();
  });
});

describe('names that nobody from elsewhere gets', () => {
  test.each(['admin', 'Admin', 'ADMIN', 'ａｄｍｉｎ'])('%j is the administrator', (name) => {
    expect(externalNameFault(name, rules)).toContain('built-in administrator');
  });

  test.each(['', ' jane', 'jane ', 'a:b', 'a"b', 'a\nb', 'a\0b', 'a#b', 'a'.repeat(256)])('%j cannot be used', (name) => {
    expect(externalNameFault(name, rules)).toContain('cannot be used');
  });

  test('those of robots', () => {
    expect(externalNameFault('bot-x', { ...rules, robotPrefix: 'bot-' })).toContain('robots');
  });
});

test.each([['Jane  Doe', 'jane doe'], [' JANE ', 'jane'], ['ＪＡＮＥ', 'jane']])('%j is folded to %j', (name, folded) => {
  expect(foldedName(name)).toBe(folded);
});
