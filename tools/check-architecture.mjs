import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import typescript from 'typescript';

// Holds the code to ARCHITECTURE.md: who may import whom, which technology lives where, names, sizes and depths.
// `node tools/check-architecture.mjs [root]` prints every fault and fails when there is one.

const SCOPE = '@haven/';
const LONGEST_FILE = 400;
const DEEPEST_FOLDER = 3;

/** Folder names that say what a folder contains instead of what it knows. */
const FORBIDDEN_FOLDERS = new Set(['common', 'shared', 'utils', 'util', 'helpers', 'types', 'interfaces', 'constants', 'dto', 'dtos', 'misc', 'lib']);

/** Where each technology may be imported. Paths from the root; the names cover subpaths (`typeorm/…`). */
const PLACES = [
  { packages: ['typeorm', 'pg'], allowed: [/^libs\/database\/src\//, /^libs\/catalog\/src\//, /\.store\.ts$/], where: 'libs/database, libs/catalog and *.store.ts' },
  { packages: ['bullmq', 'ioredis'], allowed: [/^libs\/messages\/src\//], where: 'libs/messages' },
  { packages: ['minio'], allowed: [/^libs\/storage\/src\//], where: 'libs/storage' },
  { packages: ['ldapts'], allowed: [/^apps\/core\/src\/identity\//], where: 'apps/core/src/identity' },
];

/** @returns {{ projects: number, files: number, faults: string[] }} faults as sentences, each beginning with its place */
export function checkArchitecture(root) {
  const projects = readProjects(root);
  const byName = new Map(projects.map((project) => [project.name, project]));
  const sources = projects.flatMap((project) => readSources(root, project));
  const faults = [
    ...projects.flatMap((project) => layerFaults(project, byName)),
    ...sources.flatMap((source) => [...importFaults(source, byName), ...placeFaults(source), ...settingsFaults(source), ...shapeFaults(source)]),
  ];
  return { projects: projects.length, files: sources.length, faults: [...new Set(faults)].sort() };
}

function readProjects(root) {
  return ['apps', 'libs'].flatMap((kind) => foldersIn(join(root, kind)).map((folder) => {
    const path = join(root, kind, folder, 'package.json');
    const { name, dependencies = {}, devDependencies = {}, nx } = JSON.parse(readFileSync(path, 'utf8'));
    const tag = nx?.tags?.find((text) => /^layer:\d+$/.test(text));
    return {
      name, folder: dirname(path), place: `${kind}/${folder}`,
      layer: tag === undefined ? undefined : Number(tag.slice('layer:'.length)),
      declared: new Set(Object.keys(dependencies)), declaredForTests: new Set(Object.keys(devDependencies)),
    };
  }));
}

function foldersIn(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory() && existsSync(join(path, entry.name, 'package.json'))).map(({ name }) => name);
}

function readSources(root, project) {
  const src = join(project.folder, 'src');
  if (!existsSync(src)) return [];
  return readdirSync(src, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const text = readFileSync(path, 'utf8');
      return { project, path, text, place: slashes(relative(root, path)), folders: slashes(relative(src, entry.parentPath)).split('/').filter((name) => name !== '') };
    });
}

function layerFaults(project, byName) {
  if (project.layer === undefined) return [`${project.place}: package.json has no nx tag "layer:N"`];
  return [...project.declared].map((name) => byName.get(name)).filter((other) => other !== undefined && other.layer >= project.layer)
    .map((other) => `${project.place}: layer ${project.layer} may not depend on ${other.name} of layer ${other.layer}`);
}

/** Every specifier a file imports: static, dynamic, re-exported, or as a type. */
function specifiersOf(text) {
  return typescript.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function importFaults({ project, path, text, place }, byName) {
  return specifiersOf(text).flatMap((specifier) => {
    if (specifier.startsWith('.')) return leaves(project, path, specifier) ? [`${place}: ${specifier} leaves its project`] : [];
    if (specifier.startsWith('node:')) return [];
    return specifier.startsWith(SCOPE) ? projectFaults(project, place, specifier, byName) : packageFaults(project, place, specifier);
  });
}

function leaves(project, path, specifier) {
  return !resolve(dirname(path), specifier).startsWith(join(project.folder, 'src') + sep);
}

function projectFaults(project, place, specifier, byName) {
  const name = specifier.split('/').slice(0, 2).join('/');
  const other = byName.get(name);
  if (other === undefined) return [`${place}: there is no project ${name}`];
  return [
    ...(specifier === name ? [] : [`${place}: ${specifier} reaches past the index of ${name}`]),
    ...(other.layer < project.layer ? [] : [`${place}: layer ${project.layer} may not import ${name} of layer ${other.layer}`]),
    ...(project.declared.has(name) ? [] : [`${place}: ${name} is not declared in package.json`]),
  ];
}

function packageFaults(project, place, specifier) {
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const isTest = /\.test\.tsx?$|\.contract\.tsx?$|\/testing\//.test(place);
  if (project.declared.has(name) || (isTest && (name === '@jest/globals' || project.declaredForTests.has(name)))) return [];
  return [`${place}: ${name} is not declared in package.json`];
}

function placeFaults({ text, place }) {
  if (/\.test\.tsx?$/.test(place)) return [];
  const imported = specifiersOf(text);
  return PLACES.flatMap(({ packages, allowed, where }) => packages
    .filter((name) => imported.some((specifier) => specifier === name || specifier.startsWith(`${name}/`)) && !allowed.some((pattern) => pattern.test(place)))
    .map((name) => `${place}: ${name} belongs to ${where}`));
}

function settingsFaults({ text, place }) {
  if (/(^|\/)settings\.ts$/.test(place) || /\.test\.tsx?$/.test(place)) return [];
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return /\bprocess\s*(\.\s*env\b|\[\s*['"]env['"])/.test(code) ? [`${place}: process.env is read in settings.ts only`] : [];
}

function shapeFaults({ text, place, folders }) {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return [
    ...folders.filter((name) => FORBIDDEN_FOLDERS.has(name)).map((name) => `${place}: a folder is named after what it knows, not "${name}"`),
    ...(folders.length > DEEPEST_FOLDER ? [`${place}: ${folders.length} folders below src, at most ${DEEPEST_FOLDER}`] : []),
    ...(lines > LONGEST_FILE ? [`${place}: ${lines} lines, at most ${LONGEST_FILE}`] : []),
    ...(/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.tsx?$/.test(place.split('/').at(-1)) ? [] : [`${place}: file names are kebab-case`]),
  ];
}

function slashes(path) {
  return path.split(sep).join('/');
}

if (process.argv[1] === import.meta.filename) {
  const { projects, files, faults } = checkArchitecture(resolve(process.argv[2] ?? join(import.meta.dirname, '..')));
  for (const fault of faults) console.error(fault);
  console.log(`Architecture: ${projects} projects, ${files} files, ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
