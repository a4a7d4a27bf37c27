import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// docs/operations/settings.md says of every service which settings it has and what their defaults are. This compares it
// with the zod schema in the app's settings.ts.

const root = join(import.meta.dirname, '..');
const apps = readdirSync(join(root, 'apps')).filter((name) => settingsFile(name) !== undefined);
const rows = documentedRows();

function settingsFile(app) {
  const src = join(root, 'apps', app, 'src');
  if (!existsSync(src)) return undefined;
  const file = readdirSync(src, { recursive: true }).find((path) => /(^|\/)settings\.ts$/.test(path));
  return file && join(src, file);
}

async function schemaOf(app) {
  const exported = await import(settingsFile(app));
  return Object.values(exported).find((value) => typeof value?.shape === 'object');
}

/** The rows of the table "Services", as { name, services, default }. */
function documentedRows() {
  const text = readFileSync(join(root, 'docs/operations/settings.md'), 'utf8');
  const section = text.slice(text.indexOf('\n## Services\n')).split(/\n## /)[1];
  return section.split('\n').filter((line) => line.startsWith('| `HAVEN_')).map((line) => {
    const [name, services, value, meaning] = line.slice(2, -2).split(' | ');
    return { name: name.replaceAll('`', ''), services: services === 'all' ? apps : services.split(', '), value, meaning };
  });
}

/** How the table shows a schema's default. */
function defaultOf(schema) {
  const { type, defaultValue } = schema.def;
  if (type === 'optional') return '–';
  if (type !== 'default' && type !== 'prefault') return '**required**';
  const text = asText(defaultValue);
  return text === '' ? '–' : `\`${text}\``;
}

function asText(value) {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'object' && 'host' in value && 'port' in value) return `${value.host}:${value.port}`;
  return JSON.stringify(value).replace(/^"|"$/g, '');
}

test('every service has a settings.ts', () => {
  expect(apps).toEqual(expect.arrayContaining(['core', 'job-service', 'log-collector', 'proxy', 'registry']));
});

test('every row of the table is well-formed and names services that exist', () => {
  expect(rows.length).toBeGreaterThan(30);
  for (const { name, services, value, meaning } of rows) {
    expect(name).toMatch(/^HAVEN_[A-Z0-9_]+$/);
    expect(apps).toEqual(expect.arrayContaining(services));
    expect(value).toMatch(/^(–|\*\*required\*\*|`[^`]+`)$/);
    expect(meaning.length).toBeGreaterThan(5);
  }
});

describe.each(apps)('%s', (app) => {
  const documented = rows.filter(({ services }) => services.includes(app));

  test('has exactly the documented settings', async () => {
    const { shape } = await schemaOf(app);
    expect(documented.map(({ name }) => name).sort()).toEqual(Object.keys(shape).sort());
  });

  test('has the documented defaults', async () => {
    const { shape } = await schemaOf(app);
    expect(Object.fromEntries(documented.map(({ name, value }) => [name, value])))
      .toEqual(Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, defaultOf(schema)])));
  });
});
