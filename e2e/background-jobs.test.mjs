import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Haven, until } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';

/** What administrators see of jobs and do to them, with all the processes that take part. */
describe('background jobs', () => {
  let haven, silent;
  let asked = 0;

  beforeAll(async () => {
    silent = await server(() => { asked += 1; });
    haven = await Haven.start({ env: { HAVEN_OUTBOUND_ALLOW: '127.0.0.1' } });
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
    await silent?.stop();
  }, 60_000);

  async function admin(method, path, body) {
    const response = await haven.admin.request(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { location: response.headers.get('location'), body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text };
  }

  const queue = async (type) => (await admin('GET', '/jobservice/queues')).body.find((one) => one.job_type === type);
  const act = (type, action) => admin('PUT', `/jobservice/queues/${type}`, { action });

  async function collectGarbage() {
    const { location } = await admin('POST', '/system/gc/schedule', { schedule: { type: 'Manual' }, parameters: { dry_run: true } });
    return location.replace('/api/v2.0', '');
  }

  test('a job that runs is shown with its process and its log, and is stopped within five seconds', async () => {
    const project = await haven.project();
    const { location } = await admin('POST', `/projects/${project}/webhook/policies`, { name: 'silent', targets: [{ type: 'http', address: silent.url }], event_types: ['PUSH_ARTIFACT'] });
    const policy = location.replace('/api/v2.0', '');
    await haven.oci(haven.adminAccount).pushImage(`${project}/app`, '1', randomImage({ layers: 1, size: 1000 }));

    await until('the notification being sent', () => asked > 0);
    const job = await until('it being shown', async () => (await admin('GET', '/jobservice/pools/all/workers')).body.find((one) => one.job_name === 'WEBHOOK'));
    const { body: pools } = await admin('GET', '/jobservice/pools');
    expect(pools.map(({ worker_pool_id: id, pid }) => [id, pid])).toEqual([[job.pool_id, haven.platform.services['job-service'].pid]]);
    expect((await admin('GET', `/jobservice/pools/${job.pool_id}/workers`)).body.map((one) => one.job_id)).toContain(job.job_id);

    const begun = performance.now();
    await admin('PUT', `/jobservice/jobs/${job.job_id}`);
    await until('its end', async () => (await admin('GET', `${policy}/executions`)).body[0].status === 'Stopped', { seconds: 10 });
    expect(performance.now() - begun).toBeLessThan(5000);
    const { body: log } = await admin('GET', `/jobservice/jobs/${job.job_id}/log`);
    expect(log).toContain(`POST ${silent.url}`);
    expect(log).toContain('asked to stop');
  });

  test('a paused queue holds what waits over a restart and an emptied Redis, and lets it go when it is resumed', async () => {
    await act('GARBAGE_COLLECTION', 'pause');
    const runs = [await collectGarbage(), await collectGarbage()];
    const service = haven.platform.services['job-service'];
    await service.stop();
    await service.start();
    await emptyRedis(haven.platform.redisUrl);
    await delay(8000);
    for (const run of runs) expect((await admin('GET', run)).body.job_status).toBe('Running');
    const { count, latency, paused } = await queue('GARBAGE_COLLECTION');
    expect([count, latency >= 8, paused]).toEqual([2, true, true]);

    await act('GARBAGE_COLLECTION', 'resume');
    for (const run of runs) await until('its success', async () => (await admin('GET', run)).body.job_status === 'Success', { seconds: 30 });
    expect(await queue('GARBAGE_COLLECTION')).toMatchObject({ count: 0, latency: 0, paused: false });
  });

  test('what is asked for and what happens after Redis was emptied is done as before', async () => {
    await emptyRedis(haven.platform.redisUrl);
    const run = await collectGarbage();
    await until('its success', async () => (await admin('GET', run)).body.job_status === 'Success', { seconds: 90 });
    await haven.project({ name: 'made-after-the-loss' });
    const line = await until('its line in the audit trail', async () => (await admin('GET', '/auditlog-exts?page_size=100')).body.find((one) => one.resource === 'made-after-the-loss'), { seconds: 90 });
    expect(line).toMatchObject({ operation: 'create', resource_type: 'project', username: 'admin' });
  });

  test('the status of another registry follows it, without anybody asking', async () => {
    let answer = 200;
    const other = await server((_request, response) => { response.writeHead(answer).end('{}'); });
    const database = new pg.Client({ connectionString: haven.platform.databaseUrl });
    await database.connect();
    try {
      const { location } = await admin('POST', '/registries', { name: 'other', type: 'docker-registry', url: other.url, credential: { type: 'basic', access_key: 'key', access_secret: 'secret' } });
      const status = async () => (await admin('GET', location.replace('/api/v2.0', ''))).body.status;
      expect(await status()).toBe('healthy');
      for (const [next, wanted] of [[503, 'unhealthy'], [200, 'healthy']]) {
        answer = next;
        await database.query(`UPDATE registry SET checked_at = now() - interval '6 minutes'`); // time passes
        await until(`it being ${wanted}`, async () => (await status()) === wanted, { seconds: 40 });
      }
    } finally {
      await database.end();
      await other.stop();
    }
  });
});

/** An HTTP server on loopback. */
async function server(listener) {
  const sockets = new Set();
  const http = createServer(listener).listen(0, '127.0.0.1');
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // Clients give up in these tests.
    socket.on('close', () => sockets.delete(socket));
  });
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    stop: async () => {
      const closed = once(http, 'close');
      http.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** FLUSHALL; those who are connected stay connected. */
async function emptyRedis(url) {
  const { hostname, port, password } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let reply = '';
  socket.on('data', (data) => { reply += data; });
  socket.end(`AUTH ${password}\r\nFLUSHALL\r\nQUIT\r\n`);
  await once(socket, 'close');
  expect(reply).toBe('+OK\r\n+OK\r\n+OK\r\n');
}
