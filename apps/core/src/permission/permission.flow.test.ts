import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { basic, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

interface Line {
  readonly resource: string;
  readonly action: string;
}

let core: TestCore;
let alpha: number;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'eve']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4 } });
});
afterAll(() => core.stop());

function spelled(lines: readonly Line[]): string[] {
  return lines.map(({ resource, action }) => `${resource}:${action}`);
}

function listed(as: string | undefined): Promise<Answer> {
  return core.call('GET', '/api/v2.0/permissions', { as });
}

describe('what robots can be given', () => {
  test('is shown whole to system administrators, and for their projects to administrators of one', async () => {
    const whole = (await listed('admin')).body as { system: Line[]; project: Line[] };
    expect(spelled(whole.system)).toEqual(expect.arrayContaining(['catalog:read', 'robot:create', 'user-group:list']));
    expect(spelled(whole.system)).not.toContain('robot:update');
    expect(spelled(whole.project)).toEqual(expect.arrayContaining(['repository:push', 'robot:create', 'metadata:list']));
    const own = (await listed('alice')).body as { project: Line[] };
    expect(Object.keys(own)).toEqual(['project']);
    expect(spelled(whole.project).filter((line) => !spelled(own.project).includes(line))).toEqual(['metadata:list', 'robot:create', 'member:create']);
  });

  test('is hidden from everybody else', async () => {
    expect((await listed(undefined)).status).toBe(401);
    for (const as of ['mia', 'eve']) expect((await listed(as)).status).toBe(403);
  });
});

describe('E-06: what is not in that list cannot be given', () => {
  const ask = (level: string, kind: string, lines: readonly Line[], as = 'admin'): Promise<Answer> => core.call('POST', '/api/v2.0/robots', {
    as, json: { name: 'greedy', level, duration: 1, permissions: [{ kind, namespace: kind === 'system' ? '/' : 'alpha', access: lines }] },
  });

  test.each([
    'robot:update', 'robot:create', 'member:create', '*:*', 'repository:*', '*:pull', 'repository:create', 'tag-retention:operate', 'configuration:update', 'nonsense:read', 'repository:nonsense',
    'Repository:pull', 'repository:PULL', 'repository:pull,push', ' repository:pull', '__proto__:read', 'scanner:scanner-pull',
  ])('%s to a robot of a project', async (text) => {
    const [resource = '', action = ''] = text.split(':');
    for (const as of ['alice', 'admin']) expect((await ask('project', 'project', [{ resource: 'repository', action: 'pull' }, { resource, action }], as)).status).toBe(400);
    expect(await core.database.query(`SELECT 1 FROM robot WHERE name = 'greedy'`)).toEqual([]);
  });

  test.each([['system', 'robot:update'], ['system', 'configuration:read'], ['system', '*:*'], ['system', 'repository:pull'], ['project', 'robot:update'], ['project', 'catalog:read']])('of kind %s, %s to a robot of the system', async (kind, text) => {
    const [resource = '', action = ''] = text.split(':');
    expect((await ask('system', kind, [{ resource, action }])).status).toBe(400);
  });

  test('what is in it can, all of it', async () => {
    const whole = (await listed('admin')).body as { system: Line[]; project: Line[] };
    const everything = [{ kind: 'system', namespace: '/', access: whole.system }, { kind: 'project', namespace: '*', access: whole.project }];
    expect((await core.call('POST', '/api/v2.0/robots', { as: 'admin', json: { name: 'everything', level: 'system', duration: 1, permissions: everything } })).status).toBe(201);
    const own = (await listed('alice')).body as { project: Line[] };
    expect((await ask('project', 'project', own.project, 'alice')).status).toBe(201);
  });
});

describe('what I may do', () => {
  const mine = async (query: string, call: object): Promise<string[]> => {
    const { status, body } = await core.call('GET', `/api/v2.0/users/current/permissions?${query}`, call);
    expect(status).toBe(200);
    return spelled(body as Line[]);
  };

  test('is what administrators alone may do, too', async () => {
    expect(await mine('scope=/system&relative=true', { as: 'admin' })).toEqual(expect.arrayContaining(['configuration:update', 'robot:update', 'user:create']));
    expect(await mine(`scope=/project/${alpha}&relative=true`, { as: 'admin' })).toContain('metadata:list');
    expect(await mine(`scope=/project/${alpha}&relative=true`, { as: 'alice' })).not.toContain('metadata:list');
  });

  test('is for robots what they were given', async () => {
    const permissions = [{ kind: 'system', namespace: '/', access: [{ resource: 'label', action: 'create' }] }, { kind: 'project', namespace: 'alpha', access: [{ resource: 'metadata', action: 'list' }] }];
    const { body } = await core.call('POST', '/api/v2.0/robots', { as: 'admin', json: { name: 'asks', level: 'system', duration: 1, permissions } });
    const { name, secret } = body as { name: string; secret: string };
    const call = { headers: { authorization: basic(name, secret) } };
    expect(await mine('', call)).toEqual(['/system/label:create']);
    expect(await mine(`scope=/project/${alpha}`, call)).toEqual([`/project/${alpha}/metadata:list`]);
  });
});
