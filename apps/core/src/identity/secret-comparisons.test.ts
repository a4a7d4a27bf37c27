import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOTS = ['apps/core/src', 'apps/registry/src', 'apps/job-service/src', 'libs/access/src', 'libs/api/src'];
const COMPARISON = /([\w#.?()[\]'"`]+)\s*[!=]==?\s*([\w#.?()[\]'"`]+)/g;
/** What the last name of an operand sounds like when it is to be kept from guessers. */
const SECRET = /(?:secret|password|hash|mac|signature|token|csrf|sid)\w*\)?$/i;
/** Literals, and constants by the way they are written. */
const CONSTANT = /^(?:undefined|null|true|false|['"`\d].*|[A-Z][A-Z0-9_]*)\)?$/;
/** Comparisons in which nobody can guess: of two things that the same request brought, or of two that are both ours. */
const HARMLESS = [
  'current?.passwordHash !== user.passwordHash', // two readings of one column
  'old === next', // the two passwords of one form
];

function sources(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') && !entry.parentPath.includes('/testing'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function suspicious(text: string): string[] {
  return text.split('\n').filter((line) => isSuspicious(line) && !/^\s*(\/\/|\*|\/\*)/.test(line) && !HARMLESS.some((known) => line.includes(known)));
}

function isSuspicious(line: string): boolean {
  return [...line.matchAll(COMPARISON)].map(([, left = '', right = '']) => [left.replace(/^[([]+/, ''), right] as const).some(([left, right]) => (SECRET.test(left) || SECRET.test(right)) && !CONSTANT.test(left) && !CONSTANT.test(right));
}

test('L-05: the check finds what it looks for', () => {
  for (const line of ['if (secret === given) return;', 'return token !== expected;', "if (a.passwordHash == other) x()", 'given === this.#csrfSecret']) expect(suspicious(line)).toEqual([line]);
  for (const line of ['if (secret === undefined) return;', "if (token === '') return;", 'const tokens = 1;', "typeof token === 'string'"]) expect(suspicious(line)).toEqual([]);
});

test('L-05: no secret is compared with an operator that stops at the first difference', () => {
  const found = ROOTS.flatMap((root) => sources(root).flatMap((file) => suspicious(readFileSync(file, 'utf8')).map((line) => `${file}: ${line.trim()}`)));
  expect(found).toEqual([]);
});
