import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSecret } from '@haven/access';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { TestBrowser } from '../testing/browser.js';
import { basic, PASSWORD, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';
import { requireUnchanged, tableState } from '../testing/table-state.js';

const USERS = '/api/v2.0/users';
let core: TestCore;
const ids: Record<string, number> = {};

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'bob', 'eve', 'u_nderscore', 'underscore']) {
    ids[name] = await core.addUser(name);
    await core.database.execute('UPDATE haven_user SET email = $2 WHERE id = $1', [ids[name], `${name}@example.org`]);
  }
  await core.addProject('alpha', { members: { alice: 1, mia: 4 } });
});
afterAll(() => core.stop());

/** Runs what must not change any account. */
async function unchanged(work: () => Promise<void>): Promise<void> {
  const before = await tableState(core.database, 'haven_user', 'member');
  await work();
  await requireUnchanged(before, core.database, 'haven_user', 'member');
}

async function setMode(mode: string): Promise<void> {
  await core.database.execute(`INSERT INTO setting (key, value) VALUES ('auth_mode', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, [JSON.stringify(mode)]);
  core.service.app.get(ConfigurationService, { strict: false }).forget();
}

async function row(name: string): Promise<Record<string, unknown>> {
  const [found] = await core.database.query<Record<string, unknown>>('SELECT * FROM haven_user WHERE id = $1', [ids[name]]);
  return found ?? {};
}

describe('E-07: a profile is a profile', () => {
  test('and nothing else about an account, whatever is sent with it', async () => {
    const before = await row('alice');
    const sent = {
      realname: 'Alice A', comment: 'hello', sysadmin_flag: true, sysadmin: true, admin_role_in_auth: true, username: 'admin', password: 'Stolen-one-1', password_hash: 'x', salt: 'x', user_id: 1, id: 1, source: 'ldap',
      external_id: 'admin', deleted: true,
    };
    expect((await core.call('PUT', `${USERS}/${ids['alice']}`, { as: 'alice', json: sent })).status).toBe(200);
    expect(await row('alice')).toEqual({ ...before, realname: 'Alice A', comment: 'hello', updated_at: expect.any(Date), last_login_at: expect.any(Date) });
  });

  test('of another account is out of reach', async () => {
    await unchanged(async () => {
      for (const id of [1, ids['bob']]) expect((await core.call('PUT', `${USERS}/${id}`, { as: 'alice', json: { realname: 'Taken', user_id: ids['alice'] } })).status).toBe(403);
    });
  });

  test('cannot have the address of another, in whatever case', async () => {
    await unchanged(async () => {
      for (const email of ['bob@example.org', 'BOB@Example.ORG']) expect((await core.call('PUT', `${USERS}/${ids['alice']}`, { as: 'alice', json: { email } })).status).toBe(409);
    });
  });

  test.each([{ email: 7 }, { email: null }, { realname: ['x'] }, { comment: {} }, { realname: 'a\0b' }, { email: `${'a'.repeat(300)}@x.org` }, [], 'text', null])('is not %j', async (json) => {
    await unchanged(async () => {
      expect((await core.call('PUT', `${USERS}/${ids['alice']}`, { as: 'alice', json })).status).toBe(422);
    });
  });
});

describe('E-08: who administers the system', () => {
  test('is not for those to say who do not', async () => {
    const permissions = [{ kind: 'project', namespace: 'alpha', access: [{ resource: 'member', action: 'list' }] }];
    const { body } = await core.call('POST', '/api/v2.0/robots', { as: 'alice', json: { name: 'ci', level: 'project', duration: 1, permissions } });
    const robot = body as { name: string; secret: string };
    await unchanged(async () => {
      for (const as of ['alice', 'mia']) {
        for (const id of [ids[as], 1]) expect((await core.call('PUT', `${USERS}/${id}/sysadmin`, { as, json: { sysadmin_flag: true } })).status).toBe(403);
      }
      const asRobot = { headers: { authorization: basic(robot.name, robot.secret) }, json: { sysadmin_flag: true } };
      expect((await core.call('PUT', `${USERS}/${ids['alice']}/sysadmin`, asRobot)).status).toBe(403);
    });
  });

  test('the last administrator stays one', async () => {
    await unchanged(async () => {
      expect((await core.call('PUT', `${USERS}/1/sysadmin`, { as: 'admin', json: { sysadmin_flag: false } })).status).toBe(403);
    });
  });

  test.each([{ sysadmin_flag: 'true' }, { sysadmin_flag: 1 }, { sysadmin_flag: null }, {}, []])('is not said with %j', async (json) => {
    await unchanged(async () => {
      expect((await core.call('PUT', `${USERS}/${ids['bob']}/sysadmin`, { as: 'admin', json })).status).toBe(422);
    });
  });
});

describe('E-09: passwords and CLI secrets', () => {
  test('of others, and one’s own without the old one, stay what they are', async () => {
    await unchanged(async () => {
      expect((await core.call('PUT', `${USERS}/${ids['bob']}/password`, { as: 'alice', json: { old_password: PASSWORD, new_password: 'Another-one-2' } })).status).toBe(403);
      for (const [json, status] of [
        [{ new_password: 'Another-one-2' }, 403], [{ old_password: '', new_password: 'Another-one-2' }, 403], [{ old_password: 'wrong', new_password: 'Another-one-2' }, 403],
        [{ old_password: null, new_password: 'Another-one-2' }, 403], [{ old_password: [PASSWORD], new_password: 'Another-one-2' }, 422], [{ old_password: PASSWORD, new_password: ['Another-one-2'] }, 422], [{ old_password: PASSWORD }, 422],
      ] as const) {
        expect((await core.call('PUT', `${USERS}/${ids['alice']}/password`, { as: 'alice', json, headers: { 'x-forwarded-for': `198.51.100.${status % 256}` } })).status).toBe(status);
      }
      for (const as of ['alice', 'bob']) expect((await core.call('PUT', `${USERS}/${ids['bob']}/cli_secret`, { as, json: { secret: 'Good-enough-1' } })).status).toBe(as === 'alice' ? 403 : 412);
    });
  });

  test('K-08: a CLI secret is for accounts of OpenID Connect; it is kept sealed, and tokens made with the old one end', async () => {
    const eve = new TestBrowser(core); // a CLI secret cannot be changed with what is to be a CLI secret
    await eve.logIn('eve');
    await setMode('oidc_auth');
    const change = (json: object, as = 'eve', id = ids['eve']): Promise<Answer> => (as === 'eve' ? eve.send('PUT', `${USERS}/${id}/cli_secret`, { json }) : core.call('PUT', `${USERS}/${id}/cli_secret`, { as, json }));
    expect((await change({ secret: 'Good-enough-1' })).status).toBe(412);
    await core.database.execute(`UPDATE haven_user SET source = 'oidc' WHERE id = $1`, [ids['eve']]);
    for (const [json, status] of [[{ secret: 'weak' }, 400], [{ secret: 'x'.repeat(129) }, 400], [{ secret: null }, 422], [{ secret: ['Good-enough-1'] }, 422], [{}, 422]] as const) expect((await change(json)).status).toBe(status);
    expect((await change({ secret: 'Good-enough-1' }, 'alice')).status).toBe(403);
    expect((await change({ secret: 'Good-enough-1' }, 'admin', 99999)).status).toBe(404);
    expect((await row('eve'))['cli_secret']).toBeNull();
    expect((await change({ secret: 'Good-enough-1' })).status).toBe(200);
    const sealed = String((await row('eve'))['cli_secret']);
    expect(sealed).not.toContain('Good-enough-1');
    expect(openSecret(Buffer.from(core.secretKey, 'hex'), sealed, `cli-secret:${ids['eve']}`)).toBe('Good-enough-1');
    expect(await core.database.query('SELECT 1 FROM access_epoch WHERE subject = $1', [`user:${ids['eve']}`])).toHaveLength(1);
    const events = await core.database.query<{ payload: unknown }>(`SELECT payload FROM outbox`);
    expect(JSON.stringify(events)).not.toContain('Good-enough-1');
    await core.database.execute(`UPDATE haven_user SET source = 'local', cli_secret = NULL WHERE id = $1`, [ids['eve']]);
    await setMode('db_auth');
  });
});

describe('L-03: finding people', () => {
  const search = (query: string, as: string | undefined = undefined): Promise<Answer> => core.call('GET', `${USERS}/search?${query}`, { as });
  const names = async (query: string): Promise<string[]> => ((await search(query, 'eve')).body as { username: string }[]).map(({ username }) => username);

  test('is for those who are logged in', async () => {
    expect((await search('username=a')).status).toBe(401);
  });

  test('takes a beginning literally', async () => {
    expect(await names('username=_')).toEqual([]);
    expect(await names('username=%25')).toEqual([]);
    expect(await names('username=*')).toEqual([]);
    expect(await names('username=u_')).toEqual(['u_nderscore']);
    expect(await names('username=UNDER')).toEqual(['underscore']);
    expect(await names('username=nderscore')).toEqual([]);
    expect(await names('username=bob%40example.org')).toEqual([]);
    expect((await search('username=', 'eve')).status).toBe(422);
    expect((await search('', 'eve')).status).toBe(422);
    expect((await search('username=a&page_size=101', 'eve')).status).toBe(422);
  });

  test('tells ids and names, no addresses', async () => {
    expect((await search('username=bob&page_size=100', 'eve')).body).toEqual([{ user_id: ids['bob'], username: 'bob' }]);
  });
});

describe('where accounts are kept elsewhere', () => {
  test('none is made or changed here, but for the first', async () => {
    for (const mode of ['ldap_auth', 'oidc_auth', 'http_auth']) {
      await setMode(mode);
      await unchanged(async () => {
        expect((await core.call('POST', USERS, { as: 'admin', json: { username: 'new', email: '', realname: 'N', password: 'Good-enough-1' } })).status).toBe(403);
        for (const as of ['admin', 'alice']) {
          expect((await core.call('PUT', `${USERS}/${ids['alice']}`, { as, json: { realname: 'Other' } })).status).toBe(403);
          expect((await core.call('PUT', `${USERS}/${ids['alice']}/password`, { as, json: { old_password: PASSWORD, new_password: 'Another-one-2' } })).status).toBe(403);
        }
      });
      expect((await core.call('PUT', `${USERS}/1`, { as: 'admin', json: { comment: mode } })).status).toBe(200);
    }
    await setMode('db_auth');
  });
});

test('a deleted account is in no project, group or session any more', async () => {
  ids['gone'] = await core.addUser('gone');
  await core.database.execute(`INSERT INTO user_group (name, type) VALUES ('all', 3)`);
  await core.database.execute(`INSERT INTO user_group_member (group_id, user_id) SELECT id, $1 FROM user_group WHERE name = 'all'`, [ids['gone']]);
  expect((await core.call('DELETE', `${USERS}/${ids['gone']}`, { as: 'admin' })).status).toBe(200);
  expect(await core.database.query('SELECT 1 FROM user_group_member WHERE user_id = $1', [ids['gone']])).toEqual([]);
  expect(await row('gone')).toMatchObject({ password_hash: null, cli_secret: null, deleted_at: expect.any(Date) });
  expect(await core.database.query('SELECT 1 FROM access_epoch WHERE subject = $1', [`user:${ids['gone']}`])).toHaveLength(1);
});
