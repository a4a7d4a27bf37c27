import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// docs/security/cases.md says of every security case what we do and which tests show it. The names of those tests hold
// the case's id.

const root = join(import.meta.dirname, '..');
/** Ids of the sections that the document is about; tests name cases of others, too. */
const ID = /\b[A-N]-\d{2}\b/g;

const rows = readFileSync(join(root, 'docs/security/cases.md'), 'utf8').split('\n').filter((line) => /^\| [A-Z]-\d{2} /.test(line)).map((line) => {
  const [name, does, files] = line.split('|').slice(1).map((cell) => cell.trim());
  return { id: name.slice(0, 4), does, files: [...files.matchAll(/`([^`]+)`/g)].map(([, path]) => path) };
});
const byId = new Map(rows.map((row) => [row.id, row]));

/** The ids in the names of a file's tests. */
function shownBy(text) {
  const names = text.split('\n').filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line)).flatMap((line) => [...line.matchAll(/(?:^\s*|[ \])])(?:test|describe)?(?:\.each\(.*?\))?\((['"`])(.*?)\1/g)].map(([, , name]) => name));
  return new Set(names.flatMap((name) => name.match(ID) ?? []));
}

function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.test\.m?[jt]s$/.test(entry.name) && !/node_modules|\/dist/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

test('every case has one row and either a test or the feature that it waits for', () => {
  expect(rows.length).toBeGreaterThan(90);
  expect(byId.size).toBe(rows.length);
  expect(rows.filter(({ files, does }) => (files.length > 0) === does.startsWith('not applicable yet: '))).toEqual([]);
});

describe('the tests that are named show their case in their names', () => {
  test.each(rows.filter(({ files }) => files.length > 0).map(({ id, files }) => [id, files]))('%s', (id, files) => {
    expect(files.filter((file) => !existsSync(join(root, file)) || !shownBy(readFileSync(join(root, file), 'utf8')).has(id))).toEqual([]);
  });
});

test('a case that a test shows is in the table', () => {
  const shown = ['apps', 'libs', 'e2e', 'deploy'].flatMap(testFiles).flatMap((file) => [...shownBy(readFileSync(join(root, file), 'utf8'))].map((id) => [id, file]));
  expect(shown.length).toBeGreaterThan(150);
  expect(shown.filter(([id]) => !byId.has(id))).toEqual([]);
});
