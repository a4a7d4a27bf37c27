import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../session/ports.mjs';
import { cpuOf, familyOf } from '../load/cpu.mjs';
import { request, succeeded } from '../load/http.mjs';

const PLATFORM = new URL('../../deploy/local/platform.mjs', import.meta.url);
export const PROJECT = 'bench';
const TOKEN_REUSE_MS = 15 * 60 * 1000;

/**
 * The whole platform on loopback with a fresh database, a fresh Redis and its blobs in the session's folder.
 * `inspect` names a service whose inspector is opened for a profile; `inspector` then says where it listens. `folder`: of
 * this platform among those that a session has.
 */
export async function startHaven(session, { inspect, folder = 'haven' } = {}) {
  if (!existsSync(fileURLToPath(PLATFORM))) throw new Error(`${fileURLToPath(PLATFORM)} is missing: the platform cannot be started. Use --peers distribution,nginx to measure the peers alone.`);
  const { Platform } = await import(PLATFORM.href);
  const inspector = inspect === undefined ? undefined : `127.0.0.1:${await freePort()}`;
  const output = new Tail();
  const platform = new Platform({
    dataDir: session.folder(folder), httpPort: 0, env: {},
    nodeFlags: (service) => (service === inspect ? [`--inspect=${inspector}`] : []),
    onLine: (service, line) => output.add(`${service}: ${line}`),
  });
  // Before the start: an interrupted start must be undone as well.
  session.onClose(() => platform.stop());
  await platform.start().catch((error) => { throw new Error(`the platform did not start: ${error.message}\n${output}`); });
  const basic = `Basic ${Buffer.from(`admin:${platform.adminPassword}`).toString('base64')}`;
  await createProject(platform.url, basic);
  const tokens = new Map();
  const processes = Object.fromEntries([...Object.entries(platform.services), ['redis', platform.redis]].map(([name, service]) => [name, [service.pid]]));
  return {
    name: 'haven',
    title: 'Haven',
    url: platform.url,
    databaseUrl: platform.databaseUrl,
    storageDir: join(platform.dataDir, 'storage'),
    stop: () => platform.stop(),
    inspector,
    processes,
    // Postgres counts for CPU time; its processes share memory, so their sum would say nothing.
    cpu: () => cpuOf({ ...processes, postgres: familyOf(platform.postgres.pid) }),
    /** What the administrator sends to the API. */
    administrator: { authorization: basic },
    /** `scope` is a token scope such as repository:bench/app:pull,push; the token is fetched once and reused. */
    authorization: async (scope) => ({ authorization: `Bearer ${await cachedToken(tokens, platform.url, basic, scope)}` }),
  };
}

/** The last lines the services wrote, for the message of a failed start. */
class Tail {
  #lines = [];

  add(line) {
    this.#lines.push(line.slice(0, 500));
    if (this.#lines.length > 12) this.#lines.shift();
  }

  toString() {
    return this.#lines.join('\n');
  }
}

async function createProject(url, basic) {
  const body = JSON.stringify({ project_name: PROJECT, metadata: { public: 'false' } });
  const answer = await request(`${url}/api/v2.0/projects`, { method: 'POST', headers: { authorization: basic, 'content-type': 'application/json' }, body });
  succeeded(answer, 201, `creating project ${PROJECT}`);
}

async function cachedToken(tokens, url, basic, scope) {
  const known = tokens.get(scope);
  if (known !== undefined && Date.now() - known.at < TOKEN_REUSE_MS) return known.token;
  const answer = await request(`${url}/service/token?service=harbor-registry&scope=${encodeURIComponent(scope)}`, { headers: { authorization: basic } });
  succeeded(answer, 200, `a token for ${scope}`);
  const { token } = JSON.parse(answer.body.toString());
  if (typeof token !== 'string' || token === '') throw new Error(`the token service answered without a token for ${scope}`);
  tokens.set(scope, { token, at: Date.now() });
  return token;
}
