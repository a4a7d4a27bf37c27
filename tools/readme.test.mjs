import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

// What the documents say must be so: scripts, links, folders and settings they name exist.

const root = join(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const settings = readFileSync(join(root, 'docs/operations/settings.md'), 'utf8');
const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...markdownIn('docs/operations')];
const NPM_OWN = ['start', 'test'];

function markdownIn(folder) {
  return readdirSync(join(root, folder)).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`);
}

function read(document) {
  return readFileSync(join(root, document), 'utf8');
}

function all(text, pattern) {
  return [...text.matchAll(pattern)].map(([, found]) => found);
}

describe.each(documents)('%s', (document) => {
  const text = read(document);

  test('names only npm scripts that exist', () => {
    const named = [...all(text, /\bnpm run (?:-s )?([a-z][\w:-]*)/g), ...all(text, /\bnpm (start|test)\b/g)];
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('links only to what is in the repository', () => {
    const links = all(text, /\]\(([^)#\s]+)[^)]*\)/g).filter((link) => !/^https?:/.test(link));
    expect(links.filter((link) => !existsSync(resolve(root, dirname(document), link)))).toEqual([]);
  });

  test('names only files and folders of the source tree that exist', () => {
    const paths = all(text, /`((?:apps|libs|deploy|tools|docs|e2e|benchmarks)\/[\w./-]*)`/g);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('names only settings that are documented', () => {
    const names = all(text, /\b(HAVEN_[A-Z0-9]+(?:_[A-Z0-9]+)*)\b/g).filter((name) => !name.startsWith('HAVEN_TEST_'));
    expect(names.filter((name) => !settings.includes(`\`${name.replace(/_FILE$/, '')}\``))).toEqual([]);
  });
});

describe('README.md', () => {
  const text = read('README.md');

  test('fits on a screen', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
  });

  test('lists the apps and links every guide', () => {
    const apps = readdirSync(join(root, 'apps')).filter((name) => existsSync(join(root, 'apps', name, 'package.json')));
    expect(apps.filter((name) => !text.includes(name))).toEqual([]);
    const guides = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'LICENSE', ...markdownIn('docs/operations')];
    expect(guides.filter((name) => !text.includes(`](${name})`))).toEqual([]);
  });

  test('says the Node.js version that package.json asks for, and npm start\'s default port', () => {
    const { engines } = JSON.parse(read('package.json'));
    expect(text).toContain(`Node.js ${engines.node.replace('>=', '')} or newer`);
    expect(settings).toContain('| `HAVEN_HTTP_PORT` | `8080` |');
    expect(text).toContain('docker login localhost:8080');
  });
});

test('each npm script runs a file that exists', () => {
  const files = Object.values(scripts).flatMap((command) => all(command, /\bnode (?:--[\w-]+ )*([\w./-]+\.m?js)/g));
  expect(files.length).toBeGreaterThan(4);
  expect(files.filter((path) => !path.startsWith('node_modules/') && !existsSync(join(root, path)))).toEqual([]);
  expect(NPM_OWN.filter((name) => scripts[name] === undefined)).toEqual([]);
});
