import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { startTestCore, type TestCore } from '../testing/test-core.js';
import { committedDocument } from './committed-document.js';

let core: TestCore;
beforeAll(async () => void (core = await startTestCore()));
afterAll(() => core.stop());

test('the document is served as JSON and as YAML, to everybody, and is the committed one', async () => {
  const json = await core.call('GET', '/api/v2.0/openapi.json');
  expect([json.status, json.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  expect(json.body).toMatchObject({ openapi: '3.1.1', paths: { '/api/v2.0/projects': { get: { operationId: 'listProjects' } } } });
  const yaml = await core.call('GET', '/api/v2.0/openapi.yaml');
  expect([yaml.status, yaml.headers.get('content-type')]).toEqual([200, 'application/yaml; charset=utf-8']);
  expect(yaml.body).toBe(committedDocument());
  expect(parse(yaml.body as string)).toEqual(json.body);
});

test.each(['/api/v2.0/explorer', '/devcenter-api-2.0'])('%s is a page that loads only what this server has', async (path) => {
  const page = await core.call('GET', path);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'$/);
  const html = page.body as string;
  expect(html).not.toMatch(/<script>|<style|style=|https?:\/\//);
  const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
  expect(addresses).toHaveLength(4);
  for (const address of addresses) expect((await core.call('GET', address)).status).toBe(200);
});

test.each([['swagger-ui-bundle.js', 'text/javascript; charset=utf-8', 500_000], ['swagger-ui.css', 'text/css; charset=utf-8', 50_000], ['start.js', 'text/javascript; charset=utf-8', 300]] as const)(
  'the page gets its %s', async (name, type, atLeast) => {
    const { status, headers, body } = await core.call('GET', `/api/v2.0/explorer/${name}`);
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([200, type, 'public, max-age=3600']);
    expect((body as string).length).toBeGreaterThan(atLeast);
  });

test.each(['package.json', 'index.html', '..%2Fpackage.json', '..%2F..%2F..%2Fpackage.json', '__proto__', 'constructor', 'swagger-ui.css%00'])('%s is not served', async (name) => {
  expect((await core.call('GET', `/api/v2.0/explorer/${name}`)).status).toBe(404);
});
