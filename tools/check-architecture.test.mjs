import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkArchitecture } from './check-architecture.mjs';

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'haven-architecture-'));
  project('libs/words', { layer: 0 });
  project('libs/tables', { layer: 2, dependencies: ['@haven/words', 'typeorm'] });
  project('apps/desk', { layer: 4, dependencies: ['@haven/words', '@haven/tables', 'zod', 'ioredis', 'ldapts'] });
  file('libs/words/src/index.ts', '');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function project(path, { layer, dependencies = [], devDependencies = [] }) {
  const versions = (names) => Object.fromEntries(names.map((name) => [name, '*']));
  file(`${path}/package.json`, JSON.stringify({
    name: `@haven/${path.split('/')[1]}`, dependencies: versions(dependencies), devDependencies: versions(devDependencies),
    ...(layer === undefined ? {} : { nx: { tags: [`layer:${layer}`] } }),
  }));
}

function faultsOf(path, text) {
  file(path, text);
  return checkArchitecture(root).faults;
}

test('code that keeps the rules has no fault', () => {
  file('apps/desk/src/token/token.ts', `
    import { readFileSync } from 'node:fs';
    import { z } from 'zod';
    import { word } from '@haven/words';
    import { near } from '../user/user.js';
    // import { x } from 'typeorm'; process.env is not read here
    const text = \`import { a } from "nowhere"\`;`);
  file('apps/desk/src/user/user.store.ts', "import type { Table } from '@haven/tables';");
  file('apps/desk/src/settings.ts', 'export const home = process.env.HOME;');
  expect(checkArchitecture(root)).toEqual({ projects: 3, files: 4, faults: [] });
});

test.each([
  ['a relative import may not leave its project', "import { a } from '../../../libs/words/src/index.js';", '../../../libs/words/src/index.js leaves its project'],
  ['the index is the only door of a lib', "import { a } from '@haven/words/src/digest.js';", '@haven/words/src/digest.js reaches past the index of @haven/words'],
  ['a project must exist', "import { a } from '@haven/nothing';", 'there is no project @haven/nothing'],
  ['a package must be declared', "import { a } from 'left-pad/deep';", 'left-pad is not declared in package.json'],
  ['a scoped package must be declared', "export { a } from '@nestjs/core';", '@nestjs/core is not declared in package.json'],
  ['a type import counts', "import type { a } from 'left-pad';", 'left-pad is not declared in package.json'],
  ['a dynamic import counts', "const a = await import('left-pad');", 'left-pad is not declared in package.json'],
  ['Redis belongs to libs/messages', "import { Redis } from 'ioredis';", 'ioredis belongs to libs/messages'],
  ['LDAP belongs to the identity folder', "import { Client } from 'ldapts';", 'ldapts belongs to apps/core/src/identity'],
  ['settings are read in settings.ts', 'const a = process.env.HOME;', 'process.env is read in settings.ts only'],
  ['settings are read in settings.ts, by any spelling', "const a = process['env'];", 'process.env is read in settings.ts only'],
  ['a file has at most 400 lines', '\n'.repeat(401), '401 lines, at most 400'],
])('%s', (_rule, text, fault) => {
  expect(faultsOf('apps/desk/src/token.ts', text)).toEqual([`apps/desk/src/token.ts: ${fault}`]);
});

test('a lib may import lower layers only', () => {
  expect(faultsOf('libs/words/src/word.ts', "import { table } from '@haven/tables';")).toEqual([
    'libs/words/src/word.ts: @haven/tables is not declared in package.json',
    'libs/words/src/word.ts: layer 0 may not import @haven/tables of layer 2',
  ]);
  project('libs/words', { layer: 2, dependencies: ['@haven/tables'] });
  rmSync(join(root, 'libs/words/src/word.ts'));
  expect(checkArchitecture(root).faults).toContain('libs/words: layer 2 may not depend on @haven/tables of layer 2');
});

test('a project must say its layer', () => {
  project('libs/lost', {});
  expect(checkArchitecture(root).faults).toEqual(['libs/lost: package.json has no nx tag "layer:N"']);
});

test('a store may use SQL tools when it declares them; other files may not', () => {
  project('apps/desk', { layer: 4, dependencies: ['typeorm'] });
  file('apps/desk/src/user/user.store.ts', "import { DataSource } from 'typeorm';");
  expect(checkArchitecture(root).faults).toEqual([]);
  expect(faultsOf('apps/desk/src/user/user.service.ts', "import { DataSource } from 'typeorm';"))
    .toEqual(['apps/desk/src/user/user.service.ts: typeorm belongs to libs/database, libs/catalog and *.store.ts']);
});

test('tests may use what is declared for tests', () => {
  project('libs/words', { layer: 0, devDependencies: ['fast-check'] });
  file('libs/words/src/word.test.ts', "import { test } from '@jest/globals'; import * as fc from 'fast-check';");
  expect(checkArchitecture(root).faults).toEqual([]);
  expect(faultsOf('libs/words/src/word.ts', "import * as fc from 'fast-check';")).toEqual(['libs/words/src/word.ts: fast-check is not declared in package.json']);
});

test.each([
  ['apps/desk/src/utils/text.ts', 'a folder is named after what it knows, not "utils"'],
  ['apps/desk/src/a/b/c/d/text.ts', '4 folders below src, at most 3'],
  ['apps/desk/src/TextTools.ts', 'file names are kebab-case'],
])('%s is refused', (path, fault) => {
  expect(faultsOf(path, '')).toEqual([`${path}: ${fault}`]);
});

test('this repository keeps its own rules', () => {
  const { projects, faults } = checkArchitecture(resolve(import.meta.dirname, '..'));
  expect(faults).toEqual([]);
  expect(projects).toBeGreaterThanOrEqual(13);
});
