import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Haven, until } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';
import { BackgroundLoad } from './load/background-load.mjs';
import { drained, errorCodes } from './registry/oci-client.mjs';

/** What users notice when a part of the platform is away, and that all is well when it is back, without any restart. */
describe('outages', () => {
  let haven, ann, oci, repository, image;

  beforeAll(async () => {
    haven = await Haven.start();
    ann = await haven.user('ann');
    const project = await haven.project({ members: { ann: 'developer' } });
    repository = `${project}/app`;
    image = randomImage({ layers: 2, size: 100_000 });
    oci = haven.oci(ann);
    await oci.pushImage(repository, 'load', image);
  }, 180_000);

  beforeEach(async () => {
    // Valid tokens, as clients have them in the middle of their work.
    for (const name of [repository, `${repository}-0`, `${repository}-1`]) {
      await oci.token(`repository:${name}:pull`);
      await oci.token(`repository:${name}:pull,push`);
    }
  });

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const processes = () => Object.fromEntries(['proxy', 'registry', 'core', 'job-service', 'log-collector'].map((name) => [name, haven.platform.services[name].pid]));
  const component = (health, name) => health.body.components.find((one) => one.name === name)?.status;

  async function healthIs(status) {
    return until(`health says ${status}`, async () => {
      const health = await haven.rest().health();
      return health.body.status === status ? health : undefined;
    }, { seconds: 30 });
  }

  async function deliveredEvents() {
    const database = new pg.Client({ connectionString: haven.platform.databaseUrl });
    await database.connect();
    try {
      const { rows } = await database.query('SELECT count(*)::int AS all, count(delivered_at)::int AS delivered FROM outbox');
      return rows[0];
    } finally {
      await database.end();
    }
  }

  test('without Redis: pulls, pushes and logins go on, health says so, and events wait for its return', async () => {
    const before = processes();
    const load = new BackgroundLoad(oci, repository, image);
    try {
      await load.more({ pulls: 20, pushes: 5 });
      await haven.platform.redis.stop();
      load.reset();
      await load.more({ pulls: 200, pushes: 30 });
      const health = await healthIs('degraded');
      expect(health.status).toBe(200);
      expect([component(health, 'redis'), component(health, 'database')]).toEqual(['unhealthy', 'healthy']);
      const login = await haven.oci(ann).requestToken([`repository:${repository}:pull`]);
      expect(login.status).toBe(200);
      await haven.admin.createProject('made-without-redis');
      expect(load.failures).toEqual([]);
      await haven.platform.redis.start();
      await healthIs('healthy');
      await load.more({ pulls: 50, pushes: 10 });
      expect(load.failures).toEqual([]);
    } finally {
      await load.stop();
      await haven.platform.redis.start();
    }
    const { all } = await deliveredEvents();
    expect(all).toBeGreaterThan(30);
    await until('every event is delivered', async () => {
      const events = await deliveredEvents();
      return events.all === events.delivered;
    }, { seconds: 30 });
    expect(processes()).toEqual(before);
  });

  test('without core: clients with valid tokens pull and push on; logins work again when it is back', async () => {
    const load = new BackgroundLoad(oci, repository, image);
    try {
      await load.more({ pulls: 20, pushes: 5 });
      await haven.platform.services.core.stop();
      load.reset();
      await load.more({ pulls: 200, pushes: 30 });
      expect(load.failures).toEqual([]);
      const login = await drained(await haven.oci(ann).requestToken([`repository:${repository}:pull`]));
      expect([502, 503, 504]).toContain(login.status);
      expect(errorCodes(login)).toEqual([expect.stringMatching(/^[A-Z_]+$/)]);
      await haven.platform.services.core.start();
      const again = await until('logins work again', async () => (await haven.oci(ann).requestToken([`repository:${repository}:pull`])).status === 200, { seconds: 30 });
      expect(again).toBe(true);
      await load.more({ pulls: 20, pushes: 5 });
      expect(load.failures).toEqual([]);
    } finally {
      await load.stop();
      await haven.platform.services.core.start();
    }
  });

  test('without job-service and log-collector nobody notices, and what waited is done afterwards', async () => {
    const load = new BackgroundLoad(oci, repository, image);
    try {
      await Promise.all([haven.platform.services['job-service'].stop(), haven.platform.services['log-collector'].stop()]);
      load.reset();
      await load.more({ pulls: 100, pushes: 20 });
      expect(load.failures).toEqual([]);
      const waiting = await deliveredEvents();
      expect(waiting.delivered).toBeLessThan(waiting.all);
    } finally {
      await load.stop();
      await Promise.all([haven.platform.services['job-service'].start(), haven.platform.services['log-collector'].start()]);
    }
    await until('every event is delivered', async () => {
      const events = await deliveredEvents();
      return events.all === events.delivered;
    }, { seconds: 30 });
  });

  test('without the database requests are refused with a clear code, quickly, and nothing has to be restarted afterwards', async () => {
    const before = processes();
    await haven.platform.postgres.stop();
    try {
      const started = Date.now();
      const push = await oci.putManifest(repository, 'meanwhile', image);
      expect([push.status, errorCodes(push)]).toEqual([503, ['UNAVAILABLE']]);
      expect(push.bodyText).not.toMatch(/ECONNREFUSED|postgres|127\.0\.0\.1|SELECT/i);
      const login = await drained(await haven.oci(ann).requestToken([`repository:${repository}:pull`]));
      expect([500, 503]).toContain(login.status);
      expect(login.bodyText).not.toMatch(/ECONNREFUSED|postgres|127\.0\.0\.1|SELECT/i);
      expect(Date.now() - started).toBeLessThan(30_000);
      const health = await haven.rest().health();
      expect([health.body.status, component(health, 'database')]).toEqual(['unhealthy', 'unhealthy']);
    } finally {
      await haven.platform.postgres.start();
    }
    await until('pushes work again', async () => (await oci.putManifest(repository, 'afterwards', image)).status === 201, { seconds: 30 });
    expect((await oci.head(repository, 'manifests', 'meanwhile')).status).toBe(404);
    await healthIs('healthy');
    expect(processes()).toEqual(before);
  });

  test('without the registry the proxy answers at once with a clear code, and pulls work when it is back', async () => {
    await haven.platform.services.registry.stop();
    try {
      const started = Date.now();
      const pull = await drained(await oci.getManifest(repository, 'load'));
      expect([502, 503]).toContain(pull.status);
      expect(errorCodes(pull)).toEqual([expect.stringMatching(/^[A-Z_]+$/)]);
      expect(Date.now() - started).toBeLessThan(10_000);
    } finally {
      await haven.platform.services.registry.start();
    }
    await until('pulls work again', async () => (await drained(await oci.getManifest(repository, 'load'))).status === 200, { seconds: 30 });
  });
});

/** Two registries and two cores: one of each goes away under load, and no client sees it. */
describe('with two replicas', () => {
  let haven, oci, repository, image;

  beforeAll(async () => {
    haven = await Haven.start({ replicas: { registry: 2, core: 2 } });
    const ann = await haven.user('ann');
    const project = await haven.project({ members: { ann: 'developer' } });
    repository = `${project}/app`;
    image = randomImage({ layers: 2, size: 100_000 });
    oci = haven.oci(ann);
    await oci.pushImage(repository, 'load', image);
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  test('registries that are restarted one after the other cost no pull, and no push of a client that tries again', async () => {
    const load = new BackgroundLoad(oci, repository, image, { pushAttempts: 5 });
    try {
      await load.more({ pulls: 50, pushes: 10 });
      for (const name of ['registry', 'registry-2']) {
        await haven.platform.services[name].stop();
        await load.more({ pulls: 50, pushes: 10 });
        await haven.platform.services[name].start();
        await load.more({ pulls: 50, pushes: 10 });
      }
      expect(load.failures).toEqual([]);
    } finally {
      await load.stop();
    }
  });

  test('a tag moved through one replica is seen through the other at once', async () => {
    const seen = [];
    for (let round = 0; round < 20; round += 1) {
      const next = randomImage();
      await oci.pushImage(repository, 'moves', next);
      // Requests go to the replicas in turn: four of them reach both.
      const digests = await Promise.all(Array.from({ length: 4 }, async () => (await oci.head(repository, 'manifests', 'moves')).headers.get('docker-content-digest')));
      seen.push(...digests.filter((digest) => digest !== next.digest));
    }
    // The broadcast takes a moment; a reader may be that moment late, never longer than the cache's own time.
    expect(seen.length).toBeLessThanOrEqual(20);
    const last = randomImage();
    await oci.pushImage(repository, 'moves', last);
    await until('both replicas show the moved tag', async () => {
      const digests = await Promise.all(Array.from({ length: 8 }, async () => (await oci.head(repository, 'manifests', 'moves')).headers.get('docker-content-digest')));
      return digests.every((digest) => digest === last.digest);
    }, { seconds: 3 });
  });
});
