import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { Pusher } from '../testing/push.js';
import { testRedisUrl } from '../testing/settings.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const PROJECTS = '/api/v2.0/projects';
let core: TestCore;
let listener: Messages;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob']) await core.addUser(name);
  listener = connectRedis(testRedisUrl(), new FakeLogger());
});
afterAll(async () => {
  await listener.close();
  await core.stop();
});

function create(name: string, as = 'alice', more: object = {}): Promise<Answer> {
  return core.call('POST', PROJECTS, { as, json: { project_name: name, ...more } });
}

async function names(query: string, as?: string): Promise<string[]> {
  const { status, body } = await core.call('GET', `${PROJECTS}?${query}`, { as });
  expect(status).toBe(200);
  return (body as { name: string }[]).map(({ name }) => name);
}

async function eventsOf(project: string): Promise<string[]> {
  const rows = await core.database.query<{ type: string }>(`SELECT type FROM outbox WHERE payload->>'name' = $1 ORDER BY id`, [project]);
  return rows.map((row) => row.type);
}

describe('making a project', () => {
  test('gives its creator the administrator’s role, an address and an event', async () => {
    const { status, headers } = await create('first');
    expect(status).toBe(201);
    const location = headers.get('location') ?? '';
    expect(location).toMatch(/^\/api\/v2\.0\/projects\/\d+$/);
    expect((await core.call('GET', location, { as: 'alice' })).body).toMatchObject({
      name: 'first', owner_name: 'alice', current_user_role_id: 1, current_user_role_ids: [1], repo_count: 0, deleted: false, metadata: { public: 'false' },
    });
    expect(await eventsOf('first')).toEqual(['project.created']);
  });

  test('may put the name into the address', async () => {
    const { headers } = await core.call('POST', PROJECTS, { as: 'alice', json: { project_name: 'named' }, headers: { 'x-resource-name-in-location': 'true' } });
    expect(headers.get('location')).toBe('/api/v2.0/projects/named');
  });

  test.each(['', 'UPPER', 'a b', 'a/b', '-a', 'a-', 'a..b', 'a__b', 'ü', '../x', 'a\nb'])('refuses the name %j', async (name) => {
    expect((await create(name)).status).toBe(400);
  });

  test('refuses names that are too long, taken or missing', async () => {
    expect((await create('a'.repeat(256))).status).toBe(422);
    expect((await create('a'.repeat(255))).status).toBe(201);
    await create('taken');
    expect((await create('taken', 'bob')).status).toBe(409);
    expect((await core.call('POST', PROJECTS, { as: 'alice', json: {} })).status).toBe(400);
  });

  test('of the same name by several at once succeeds once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create('race')));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
  });

  test('takes metadata in the API’s spelling and refuses what it does not mean', async () => {
    await create('public-one', 'alice', { metadata: { public: 'TRUE', auto_scan: 'true', severity: 'High' } });
    expect((await core.call('GET', `${PROJECTS}/public-one`)).body).toMatchObject({ metadata: { public: 'true', auto_scan: 'true', severity: 'high' } });
    await create('public-two', 'alice', { public: true });
    expect((await core.call('GET', `${PROJECTS}/public-two`)).status).toBe(200);
    for (const metadata of [{ public: 'maybe' }, { severity: 'awful' }, { retention_id: '1' }]) expect((await create('refused', 'alice', { metadata })).status).toBe(400);
    for (const more of [{ registry_id: 3 }, { registry_id: -1 }, { cve_allowlist: { items: [{ cve_id: 'CVE-1' }, { cve_id: 'CVE-1' }] } }, { cve_allowlist: { items: [{ cve_id: ' ' }] } }]) expect((await create('refused', 'admin', more)).status).toBe(400);
  });

  test('lets system administrators alone set a storage limit', async () => {
    await create('limited', 'admin', { storage_limit: 1024 });
    await create('unlimited', 'alice', { storage_limit: 1024 });
    expect((await core.call('GET', `${PROJECTS}/limited/summary`, { as: 'admin' })).body).toMatchObject({ quota: { hard: { storage: 1024 } } });
    expect((await core.call('GET', `${PROJECTS}/unlimited/summary`, { as: 'alice' })).body).toMatchObject({ quota: { hard: { storage: -1 } } });
    expect((await create('too-large', 'admin', { storage_limit: 2 ** 51 })).status).toBe(400);
  });
});

describe('listing projects', () => {
  beforeAll(async () => {
    await core.addProject('list-public', { public: true });
    await core.addProject('list-private', { members: { bob: 3 } });
    await core.addProject('list-hidden');
  });

  test('shows everybody what is public, members theirs, and system administrators all', async () => {
    expect(await names('name=list-')).toEqual(['list-public']);
    expect(await names('name=list-', 'alice')).toEqual(['list-public']);
    expect(await names('name=list-', 'bob')).toEqual(['list-private', 'list-public']);
    expect(await names('name=list-', 'admin')).toEqual(['list-hidden', 'list-private', 'list-public']);
  });

  test('filters by visibility, owner and q, and sorts', async () => {
    expect(await names('name=list-&public=false', 'bob')).toEqual(['list-private']);
    expect(await names('public=false')).toEqual([]);
    expect(await names('name=list-&public=true', 'bob')).toEqual(['list-public']);
    expect(await names('owner=bob', 'admin')).toEqual([]);
    expect(await names('q=name%3D~LIST-P', 'admin')).toEqual(['list-private', 'list-public']);
    expect(await names('q=name%3D%7Blist-public%20list-hidden%7D', 'admin')).toEqual(['list-hidden', 'list-public']);
    expect(await names('q=name%3D~list-&sort=-name', 'admin')).toEqual(['list-public', 'list-private', 'list-hidden']);
    expect(await names('name=list-&sort=nonsense', 'bob')).toEqual(['list-private', 'list-public']);
  });

  test('takes wildcard characters and quotes for what they are', async () => {
    for (const query of ['name=%25', 'name=list_p', "name='%20OR%201=1--", 'q=name%3D~%2525', "owner='"]) expect(await names(query, 'admin')).toEqual([]);
    expect((await core.call('GET', `${PROJECTS}?name=%00`, { as: 'admin' })).status).toBe(422);
  });

  test.each(['q=name', 'q==x', 'q=name%3D%5Ba~b', 'q=creation_time%3Dyesterday', 'q=project_id%3Dx'])('refuses %s', async (query) => {
    expect((await core.call('GET', `${PROJECTS}?${query}`, { as: 'admin' })).status).toBe(400);
  });
});

describe('naming a project in an address', () => {
  test('is by name, by id, or by a name of digits with the header', async () => {
    const id = await core.addProject('12345', { public: true });
    expect((await core.call('GET', `${PROJECTS}/${id}`)).body).toMatchObject({ name: '12345' });
    expect((await core.call('GET', `${PROJECTS}/12345`, { as: 'admin' })).status).toBe(404);
    expect((await core.call('GET', `${PROJECTS}/12345`, { headers: { 'x-is-resource-name': 'true' } })).body).toMatchObject({ project_id: id });
    expect((await core.call('GET', `${PROJECTS}/99999999999`, { as: 'admin' })).status).toBe(404);
    expect((await core.call('GET', `${PROJECTS}/12345`, { headers: { 'x-is-resource-name': 'perhaps' } })).status).toBe(422);
  });

  test('HEAD tells whether a name is taken', async () => {
    expect((await core.call('HEAD', `${PROJECTS}?project_name=library`, { as: 'bob' })).status).toBe(200);
    expect((await core.call('HEAD', `${PROJECTS}?project_name=free`, { as: 'bob' })).status).toBe(404);
    expect((await core.call('HEAD', PROJECTS, { as: 'bob' })).status).toBe(422);
  });
});

describe('changing a project', () => {
  test('to private takes back its tokens, tells the other services and writes an event', async () => {
    const id = await core.addProject('shown', { public: true });
    const heard: string[] = [];
    listener.broadcasts.on('access-changed', () => void heard.push('access-changed'));
    const told = new Promise<void>((resolve) => {
      listener.broadcasts.on('project-changed', ({ project }) => project === 'shown' && resolve());
    });
    await listener.ping();
    expect((await core.call('PUT', `${PROJECTS}/shown`, { as: 'admin', json: { metadata: { public: 'false', auto_scan: 'true' } } })).status).toBe(200);
    await told;
    expect(heard).toContain('access-changed');
    expect((await core.call('GET', `${PROJECTS}/shown`)).status).toBe(401);
    expect((await core.call('GET', `${PROJECTS}/shown`, { as: 'admin' })).body).toMatchObject({ metadata: { public: 'false', auto_scan: 'true' } });
    expect(await eventsOf('shown')).toEqual(['project.visibility-changed']);
    expect(await core.database.query('SELECT 1 FROM access_epoch WHERE subject = $1 AND not_before > now()', [`project:${id}`])).toHaveLength(1);
  });

  test('keeps what it does not name', async () => {
    await core.addProject('kept', { public: true });
    await core.call('PUT', `${PROJECTS}/kept`, { as: 'admin', json: { metadata: { severity: 'low' } } });
    await core.call('PUT', `${PROJECTS}/kept`, { as: 'admin', json: { metadata: { prevent_vul: 'true' } } });
    expect((await core.call('GET', `${PROJECTS}/kept`)).body).toMatchObject({ metadata: { public: 'true', severity: 'low', prevent_vul: 'true' } });
    expect(await eventsOf('kept')).toEqual([]);
  });
});

describe('deleting a project', () => {
  test('is refused while it holds repositories, and says so beforehand', async () => {
    const id = await core.addProject('full');
    await new Pusher(core.database, id).image('full/app', 'content', ['1']);
    expect((await core.call('GET', `${PROJECTS}/full/_deletable`, { as: 'admin' })).body).toMatchObject({ deletable: false, message: expect.any(String) });
    const { status, body } = await core.call('DELETE', `${PROJECTS}/full`, { as: 'admin' });
    expect([status, body]).toEqual([412, { errors: [{ code: 'PRECONDITION', message: expect.stringContaining('contains repositories') }] }]);
    await core.call('DELETE', `${PROJECTS}/full/repositories/app`, { as: 'admin' });
    expect((await core.call('GET', `${PROJECTS}/full/_deletable`, { as: 'admin' })).body).toEqual({ deletable: true });
    expect((await core.call('DELETE', `${PROJECTS}/full`, { as: 'admin' })).status).toBe(200);
    expect((await core.call('GET', `${PROJECTS}/full`, { as: 'admin' })).status).toBe(404);
  });

  test('takes with it what people made in it: members, robots, labels, rules with their schedules and runs, webhooks', async () => {
    const id = await core.addProject('equipped', { members: { bob: 2 } });
    const { database } = core;
    await database.execute(`INSERT INTO robot (name, level, project_id, secret_hash, duration) VALUES ('ci', 'project', $1, '', -1)`, [id]);
    await database.execute(`INSERT INTO label (name, scope, project_id) VALUES ('stable', 'p', $1)`, [id]);
    await database.execute(`INSERT INTO immutability_rule (project_id, rule) VALUES ($1, '{}')`, [id]);
    const [policy] = await database.query<{ id: number }>(`INSERT INTO retention_policy (project_id, policy) VALUES ($1, '{}') RETURNING id`, [id]);
    await database.execute(`INSERT INTO schedule (vendor_type, vendor_id, cron, next_due_at) VALUES ('RETENTION', $1, '0 0 0 * * *', now())`, [policy?.id]);
    const [webhook] = await database.query<{ id: number }>(`INSERT INTO webhook_policy (project_id, name, targets, event_types) VALUES ($1, 'hook', '[]', '{PUSH_ARTIFACT}') RETURNING id`, [id]);
    const runs = [['RETENTION', policy?.id], ['WEBHOOK', webhook?.id], ['SLACK', webhook?.id]] as const;
    for (const run of runs) await database.execute(`WITH e AS (INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ($1, $2, 'MANUAL') RETURNING id) INSERT INTO task (execution_id, vendor_type) SELECT id, $1 FROM e`, run);
    const [other] = await database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('GARBAGE_COLLECTION', $1, 'MANUAL') RETURNING id`, [policy?.id]);
    await database.execute(`INSERT INTO robot (name, level, secret_hash, duration) VALUES ('everywhere', 'system', '', -1)`);
    await database.execute(`INSERT INTO robot_permission (robot_id, kind, project_id, resource, action) SELECT id, 'project', $1, 'tag', 'list' FROM robot WHERE name = 'everywhere'`, [id]);
    expect((await core.call('DELETE', `${PROJECTS}/equipped`, { as: 'admin' })).status).toBe(200);
    for (const table of ['member', 'robot', 'label', 'immutability_rule', 'retention_policy', 'webhook_policy', 'robot_permission']) {
      expect([table, await database.query(`SELECT 1 FROM ${table} WHERE project_id = $1`, [id])]).toEqual([table, []]);
    }
    expect(await database.query('SELECT 1 FROM schedule WHERE vendor_id = $1', [policy?.id])).toEqual([]);
    expect(await database.query('SELECT id FROM execution')).toEqual([other]);
    await database.execute('DELETE FROM execution');
    expect(await database.query(`SELECT 1 FROM robot WHERE name = 'everywhere'`)).toHaveLength(1);
    await database.execute(`DELETE FROM robot WHERE name = 'everywhere'`);
  });

  test('leaves no notification behind that is planned at the same time', async () => {
    const id = await core.addProject('telling');
    const { database } = core;
    const [webhook] = await database.query<{ id: number }>(`INSERT INTO webhook_policy (project_id, name, targets, event_types) VALUES ($1, 'hook', '[]', '{PUSH_ARTIFACT}') RETURNING id`, [id]);
    const waiting = async (): Promise<boolean> => (await database.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0;
    const deleting = await database.transaction(async (transaction) => {
      await transaction.execute(
        `WITH e AS (INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('WEBHOOK', $1, 'EVENT') RETURNING id),
           t AS (INSERT INTO task (execution_id, vendor_type) SELECT id, 'WEBHOOK' FROM e RETURNING id, execution_id)
         INSERT INTO webhook_delivery (policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id)
         SELECT $1, 0, gen_random_uuid(), 0, 'PUSH_ARTIFACT', 'telling/app', '{}', execution_id, id FROM t`,
        [webhook?.id],
      );
      const answer = core.call('DELETE', `${PROJECTS}/telling`, { as: 'admin' });
      while (!(await waiting())) await new Promise((resolve) => { setTimeout(resolve, 10); });
      return { answer };
    });
    expect((await deleting.answer).status).toBe(200);
    expect(await database.query('SELECT id FROM execution')).toEqual([]);
  });

  test('frees its name, and its old members are not those of the next', async () => {
    await core.addProject('again', { members: { bob: 2 } });
    expect((await core.call('DELETE', `${PROJECTS}/again`, { as: 'admin' })).status).toBe(200);
    expect((await create('again')).status).toBe(201);
    expect((await core.call('GET', `${PROJECTS}/again`, { as: 'bob' })).status).toBe(403);
    expect(await eventsOf('again')).toEqual(['project.deleted', 'project.created']);
  });

  test('and pushing into it at the same time never leaves a repository in a deleted project', async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = `push-race-${round}`;
      const id = await core.addProject(name);
      await Promise.allSettled([new Pusher(core.database, id).image(`${name}/app`, 'x', ['1']), core.call('DELETE', `${PROJECTS}/${name}`, { as: 'admin' })]);
      const orphans = await core.database.query(
        'SELECT 1 FROM repository r JOIN project p ON p.id = r.project_id WHERE p.id = $1 AND p.deleted_at IS NOT NULL AND r.deleted_at IS NULL', [id],
      );
      expect(orphans).toEqual([]);
    }
  });
});

describe('the summary of a project', () => {
  test('counts repositories, people and bytes, each for those who may know', async () => {
    const id = await core.addProject('summed', { public: true, members: { alice: 1, bob: 5 } });
    const pusher = new Pusher(core.database, id);
    await pusher.image('summed/one', 'same');
    await pusher.image('summed/two', 'same');
    const own = await core.call('GET', `${PROJECTS}/summed/summary`, { as: 'alice' });
    expect(own.body).toMatchObject({ repo_count: 2, project_admin_count: 1, limited_guest_count: 1, developer_count: 0, quota: { hard: { storage: -1 } } });
    const [bytes] = await core.database.query<{ sum: number }>(
      `SELECT sum(size)::int AS sum FROM blob WHERE digest IN (SELECT digest FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id WHERE r.project_id = $1)`, [id],
    );
    expect(own.body).toMatchObject({ quota: { used: { storage: bytes?.sum } } });
    expect((await core.call('GET', `${PROJECTS}/summed/summary`, { as: 'bob' })).body).not.toHaveProperty('project_admin_count');
    expect((await core.call('GET', `${PROJECTS}/summed/summary`)).body).toEqual({ repo_count: 2 });
  });
});
