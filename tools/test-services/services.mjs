import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createPostgres } from '../../deploy/local/postgres.mjs';
import { createRedis } from '../../deploy/local/redis.mjs';
import { createRunFolder, recordProcesses } from './run-folder.mjs';
import { startS3 } from './s3.mjs';

/**
 * Starts a Postgres, a Redis and an S3 for a test run, in a temporary folder.
 * @returns {Promise<{ env: Record<string, string>, stop(): Promise<void> }>} the variables that tests read
 */
export async function startServices() {
  const folder = await createRunFolder();
  const stops = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
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
    recordProcesses(folder, [postgres.pid, redis.pid, s3.pid]);
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
