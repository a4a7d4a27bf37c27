import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgres } from '../../deploy/local/postgres.mjs';
import { identify, isSameProcess, killOrphan } from '../../deploy/local/process-identity.mjs';
import { createRedis } from '../../deploy/local/redis.mjs';
import { startS3 } from './s3.mjs';

const PREFIX = 'haven-test-services-';
const RECORD = 'processes.json';

/**
 * Starts a Postgres, a Redis and an S3 for a test run, in a temporary folder.
 * @returns {Promise<{ env: Record<string, string>, stop(): Promise<void> }>} the variables that tests read
 */
export async function startServices() {
  await sweep();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(folder, 0o711); // the database's system user passes through
  const stops = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    record(folder, []);
    const password = () => randomBytes(16).toString('hex');
    const postgres = createPostgres({
      folder: join(folder, 'postgres'), password: password(), superuserPassword: password(), durableInit: false, settings: { max_connections: '200' },
    });
    const redis = createRedis({ folder: join(folder, 'redis'), password: password(), persistent: false });
    stops.push(() => postgres.stop(), () => redis.stop());
    const starting = startS3({ folder: join(folder, 's3') }).then((server) => {
      stops.push(() => server.stop());
      return server;
    });
    const [s3] = await settle([starting, postgres.start(), redis.start()]);
    record(folder, [postgres.pid, redis.pid, s3.pid]);
    return { env: { HAVEN_TEST_POSTGRES_URL: postgres.superuserUrl, HAVEN_TEST_REDIS_URL: redis.url, ...s3.env }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Like Promise.all, but throws only when all have ended, so that nothing starts after it was stopped. */
async function settle(promises) {
  const results = await Promise.allSettled(promises);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
  return results.map(({ value }) => value);
}

function record(folder, pids) {
  const content = { owner: identify(process.pid), children: pids.map((pid) => identify(pid)) };
  writeFileSync(join(folder, RECORD), JSON.stringify(content), { mode: 0o600 });
}

/** Ends and removes what earlier runs left behind that were killed before their tear-down. */
async function sweep() {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const path = join(folder, RECORD);
    if (!existsSync(path)) continue;
    const { owner, children } = JSON.parse(readFileSync(path, 'utf8'));
    if (isSameProcess(owner)) continue;
    for (const child of children) await killOrphan(child, { signal: 'SIGINT' });
    rmSync(folder, { recursive: true, force: true });
  }
}
