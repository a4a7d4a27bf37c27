import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { startServices } from './services.mjs';

const root = resolve(import.meta.dirname, '../..');

/**
 * Jest's global set-up: gives flow tests a Postgres and a Redis (HAVEN_TEST_POSTGRES_URL with a superuser,
 * HAVEN_TEST_REDIS_URL) and an S3 (HAVEN_TEST_S3_*). A run that selects no flow test starts nothing;
 * HAVEN_TEST_SERVICES=off starts nothing, =on always starts.
 */
export default async function startTestServices(globalConfig) {
  const wish = process.env.HAVEN_TEST_SERVICES ?? 'auto';
  if (wish === 'off' || (wish === 'auto' && !selectsFlowTests(globalConfig))) return;
  const services = await startServices();
  Object.assign(process.env, services.env);
  globalThis.havenTestServices = services;
}

/** Whether the paths or patterns given on the command line pick a test that needs services. */
function selectsFlowTests(globalConfig) {
  const patterns = globalConfig.testPathPatterns?.patterns ?? [];
  if (patterns.length === 0 || globalConfig.onlyChanged) return true;
  const paths = globSync(['apps/*/src/**/*.flow.test.ts', 'libs/*/src/**/*.flow.test.ts', '{deploy,tools,benchmarks}/**/*.flow.test.mjs'],
    { cwd: root, exclude: (name) => name === 'node_modules' || name === 'dist' });
  const expressions = patterns.map((pattern) => new RegExp(pattern, 'i'));
  return paths.some((path) => expressions.some((expression) => expression.test(resolve(root, path)) || expression.test(`./${path}`)));
}
