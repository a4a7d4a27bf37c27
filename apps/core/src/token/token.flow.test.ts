import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccessEpochs, RegistryTokenVerifier, type AccessEntry, type PublicKeySet, type RegistryTokenClaims } from '@haven/access';
import type { TokenAnswer } from '@haven/api';
import { basic, PASSWORD, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

let core: TestCore;
let verifier: RegistryTokenVerifier;
let alphaId: number;
let pubId: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'gina', 'dave', 'mary', 'eve']) await core.addUser(name);
  alphaId = await core.addProject('alpha', { members: { alice: 1, gina: 3, dave: 2, mary: 4 } });
  await core.addProject('bravo');
  pubId = await core.addProject('pub', { public: true });
  verifier = new RegistryTokenVerifier(publicKeys);
});
afterAll(() => core.stop());

/** As the registry reads them. */
async function publicKeys(): Promise<PublicKeySet> {
  const rows = await core.database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key WHERE retired_at IS NULL');
  return Object.fromEntries(rows.map((row) => [row.kid, row.public_jwk]));
}

function ask(query: string, as?: string): Promise<Answer> {
  return core.call('GET', `/service/token?${query}`, { as });
}

async function claimsOf(answer: Answer): Promise<RegistryTokenClaims> {
  expect(answer.status).toBe(200);
  return verifier.verify((answer.body as TokenAnswer).token);
}

/** What a token for these scopes allows. */
async function granted(as: string | undefined, ...scopes: string[]): Promise<readonly AccessEntry[]> {
  const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join('');
  return (await claimsOf(await ask(`service=harbor-registry${query}`, as))).access;
}

function repository(name: string, actions: readonly ('pull' | 'push' | 'delete')[], project = alphaId): AccessEntry {
  return { type: 'repository', name, actions, project };
}

describe('the answer', () => {
  test('carries the same token twice, its life in seconds and its time of issue', async () => {
    const { body, headers } = await ask('service=harbor-registry&account=dave&client_id=docker&offline_token=true', 'dave');
    const answer = body as TokenAnswer;
    expect(Object.keys(answer).sort()).toEqual(['access_token', 'expires_in', 'issued_at', 'token']);
    expect(answer.access_token).toBe(answer.token);
    expect(answer.expires_in).toBe(1800);
    expect(Math.abs(Date.parse(answer.issued_at) - Date.now())).toBeLessThan(5000);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('names the caller by kind and id', async () => {
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM haven_user WHERE username = 'dave'`);
    expect(await claimsOf(await ask('service=harbor-registry', 'dave'))).toMatchObject({ subject: `user:${row?.id ?? 0}`, name: 'dave', access: [] });
  });
});

describe('who may ask', () => {
  test('without credentials and without a scope: nobody', async () => {
    const { status, headers } = await ask('service=harbor-registry');
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('Basic');
  });

  test('with a wrong password: nobody, not even for what everybody may pull', async () => {
    const query = '/service/token?service=harbor-registry&scope=repository:pub/app:pull';
    expect((await core.call('GET', query, { as: 'dave', password: 'wrong' })).status).toBe(401);
    expect((await core.call('GET', query, { as: 'nobody', password: 'wrong' })).status).toBe(401);
    expect((await core.call('GET', query, { headers: { authorization: 'Basic !!!' } })).status).toBe(401);
    expect((await core.call('GET', query, { headers: { authorization: basic('dave', '') } })).status).toBe(401);
    expect((await core.call('GET', query, { headers: { authorization: 'Bearer abc' } })).status).toBe(401);
  });

  test('wrong passwords of known and unknown accounts are answered alike', async () => {
    const known = await core.call('GET', '/service/token?service=harbor-registry', { as: 'mary', password: 'wrong' });
    const unknown = await core.call('GET', '/service/token?service=harbor-registry', { as: 'not-mary', password: 'wrong' });
    expect(known.body).toEqual(unknown.body);
  });
});

describe('what is asked for', () => {
  test('another service is refused', async () => {
    for (const query of ['service=other', '', 'service=', 'service=harbor-registry&service=harbor-registry', 'service=harbor-registry&account=a&account=b']) {
      expect((await ask(query, 'dave')).status).toBe(400);
    }
  });

  test('too much is refused', async () => {
    const scope = `repository:alpha/${'a'.repeat(200)}:pull`;
    expect((await ask(`service=harbor-registry&scope=${Array(101).fill('repository:alpha/app:pull').join('+')}`, 'dave')).status).toBe(400);
    expect((await ask(`service=harbor-registry${Array.from({ length: 60 }, (_, index) => `&scope=${scope.replace('aaa', `a${index}a`)}`).join('')}`, 'dave')).status).toBe(400);
    expect((await ask(`service=harbor-registry&account=${'a'.repeat(300)}`, 'dave')).status).toBe(400);
    expect((await ask('service=harbor-registry&account=%00', 'dave')).status).toBe(400);
  });
});

describe('B-09: what is granted is what was asked for and is held', () => {
  test('a guest asks for everything and may pull', async () => {
    expect(await granted('gina', 'repository:alpha/app:pull,push,delete,*')).toEqual([repository('alpha/app', ['pull'])]);
  });

  test.each([
    ['gina', ['pull']],
    ['dave', ['pull', 'push']],
    ['mary', ['pull', 'push', 'delete']],
    ['alice', ['pull', 'push', 'delete']],
    ['admin', ['pull', 'push', 'delete']],
    ['eve', []],
    [undefined, []],
  ] as const)('%s on a private project', async (name, actions) => {
    expect(await granted(name, 'repository:alpha/app:pull,push,delete')).toEqual([repository('alpha/app', actions, actions.length === 0 ? 0 : alphaId)]);
  });

  test.each(['repository:../alpha/app:pull', 'repository:ALPHA/app:pull', 'repository:alpha:pull', 'repository:alpha/app', 'repository::pull', 'repository:alpha//app:pull'])(
    'odd name %s gives nothing', async (scope) => {
      for (const entry of await granted('alice', scope)) expect(entry.actions).toEqual([]);
    });

  test('several scopes in one parameter, and several parameters, are judged one by one', async () => {
    expect(await granted('dave', 'repository:alpha/app:pull repository:bravo/app:push', 'repository:pub/app:pull,push')).toEqual([
      repository('alpha/app', ['pull']), expect.objectContaining({ name: 'bravo/app', actions: [] }), repository('pub/app', ['pull'], pubId),
    ]);
  });

  test('a project that does not exist gives nothing', async () => {
    expect(await granted('admin', 'repository:nothing/app:pull,push')).toEqual([repository('nothing/app', [], 0)]);
  });

  test.each([undefined, 'eve'])('L-02: a token tells %s nothing of a project that is hidden: it is as for one that is missing', async (as) => {
    await core.addProject('hidden', { members: { mary: 2 } });
    const members = await core.call('GET', '/api/v2.0/projects/hidden/members', { as: 'admin' });
    const [{ id }] = members.body as [{ id: number }];
    await core.call('DELETE', `/api/v2.0/projects/hidden/members/${id}`, { as: 'admin' }); // its tokens are dated ahead for some seconds
    const told = async (project: string): Promise<unknown> => {
      const claims = await claimsOf(await ask(`service=harbor-registry&scope=repository:${project}/app:pull,push`, as));
      expect(claims.issuedAt).toBeLessThanOrEqual(Date.now() / 1000);
      return { ...claims, id: '', issuedAt: 0, expiresAt: 0, access: JSON.stringify(claims.access).replace(project, 'NAME') };
    };
    expect(await told('hidden')).toEqual(await told('absent'));
    await core.call('DELETE', '/api/v2.0/projects/hidden', { as: 'admin' });
  });

  test('the catalog is for system administrators', async () => {
    expect(await granted('alice', 'registry:catalog:*')).toEqual([]);
    expect(await granted('admin', 'registry:catalog:*')).toEqual([{ type: 'registry', name: 'catalog', actions: ['*'] }]);
    expect(await granted('admin', 'registry:catalog:pull')).toEqual([]);
  });

  test('unknown types and scope[] are nothing to us', async () => {
    expect(await granted('admin', 'robot:alpha/app:pull', 'repository(plugin):alpha/app:pull')).toEqual([]);
    expect((await claimsOf(await ask('service=harbor-registry&scope[]=repository:alpha/app:pull', 'alice'))).access).toEqual([]);
  });
});

describe('B-10, B-11: a token carries no more than it was asked for', () => {
  test('asked to pull, it does not push', async () => {
    expect(await granted('dave', 'repository:alpha/app:pull')).toEqual([repository('alpha/app', ['pull'])]);
  });

  test('each repository has its own actions', async () => {
    expect(await granted('dave', 'repository:alpha/a:pull', 'repository:alpha/b:push')).toEqual([repository('alpha/a', ['pull']), repository('alpha/b', ['push'])]);
  });
});

describe('B-12: the anonymous caller', () => {
  test('pulls what is public and nothing else', async () => {
    expect(await granted(undefined, 'repository:pub/app:pull,push,delete')).toEqual([repository('pub/app', ['pull'], pubId)]);
    expect(await granted(undefined, 'repository:alpha/app:pull')).toEqual([repository('alpha/app', [], 0)]);
    expect(await granted(undefined, 'registry:catalog:*')).toEqual([]);
  });
});

describe('B-14: a registry token does not open the API', () => {
  test.each(['/api/v2.0/users/current', '/api/v2.0/projects', '/api/v2.0/projects/alpha'])('%s', async (path) => {
    const { body } = await ask('service=harbor-registry&scope=repository:alpha/app:pull', 'alice');
    expect((await core.call('GET', path, { headers: { authorization: `Bearer ${(body as TokenAnswer).token}` } })).status).toBe(401);
  });

  test('nor is it a password', async () => {
    const { body } = await ask('service=harbor-registry', 'alice');
    expect((await core.call('GET', '/api/v2.0/users/current', { headers: { authorization: basic('alice', (body as TokenAnswer).token) } })).status).toBe(401);
  });
});

describe('the OAuth2 form', () => {
  const form = (fields: Record<string, string>): Promise<Answer> => core.call('POST', '/service/token', {
    body: new URLSearchParams(fields).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const login = { grant_type: 'password', service: 'harbor-registry', client_id: 'containerd', username: 'dave', password: PASSWORD };

  test('takes a password and grants the same', async () => {
    const answer = await form({ ...login, scope: 'repository:alpha/app:pull,push repository:alpha/other:pull', access_type: 'offline' });
    expect((await claimsOf(answer)).access).toEqual([repository('alpha/app', ['pull', 'push']), repository('alpha/other', ['pull'])]);
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 1800 });
    expect(answer.body).not.toHaveProperty('refresh_token');
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, 401, 'invalid_grant'],
    ['no password', { password: '' }, 401, 'invalid_grant'],
    ['a refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'unsupported_grant_type'],
    ['another grant', { grant_type: 'client_credentials' }, 400, 'unsupported_grant_type'],
    ['another service', { service: 'other' }, 400, 'invalid_request'],
  ])('refuses %s as OAuth2 does', async (_name, change, status, error) => {
    const answer = await form({ ...login, ...change });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error, errors: [expect.objectContaining({ message: expect.any(String) })] });
  });

  test('refuses doubled fields, JSON and huge forms', async () => {
    const body = `${new URLSearchParams(login).toString()}&username=admin`;
    expect((await core.call('POST', '/service/token', { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(400);
    expect((await core.call('POST', '/service/token', { json: login })).status).toBe(415);
    expect((await form({ ...login, scope: 'x'.repeat(100_000) })).status).toBe(413);
  });
});

describe('C-18 and withdrawn rights: what the registry sees in its epochs', () => {
  async function epochs(): Promise<AccessEpochs> {
    const read = new AccessEpochs();
    for (const row of await core.database.query<{ subject: string; not_before: Date }>('SELECT subject, not_before FROM access_epoch')) read.raise(row.subject, row.not_before);
    return read;
  }
  const token = async (as: string | undefined, scope: string): Promise<RegistryTokenClaims> => claimsOf(await ask(`service=harbor-registry&scope=${scope}`, as));

  test('C-18, N-02: an anonymous token for a project that becomes private is refused, one asked for later has no rights', async () => {
    const id = await core.addProject('ghost', { public: true });
    const before = await token(undefined, 'repository:ghost/app:pull');
    expect(before.access).toEqual([repository('ghost/app', ['pull'], id)]);
    expect((await core.call('PUT', '/api/v2.0/projects/ghost', { as: 'admin', json: { metadata: { public: 'false' } } })).status).toBe(200);
    expect((await epochs()).isRevoked(before)).toBe(true);
    expect((await token(undefined, 'repository:ghost/app:pull')).access).toEqual([repository('ghost/app', [], 0)]);
    const admins = await token('admin', 'repository:ghost/app:pull');
    expect((await epochs()).isRevoked(admins)).toBe(false);
  });

  test('removing a member refuses the old token; a new one, asked for at once, is good for what is left', async () => {
    const user = await core.addUser('max');
    await core.addProject('delta', { members: { max: 2 } });
    const before = await token('max', 'repository:delta/app:push');
    const list = await core.call('GET', '/api/v2.0/projects/delta/members?entityname=max', { as: 'admin' });
    const [{ id }] = list.body as [{ id: number }];
    expect((await core.call('DELETE', `/api/v2.0/projects/delta/members/${id}`, { as: 'admin' })).status).toBe(200);
    expect((await epochs()).isRevoked(before)).toBe(true);
    const after = await token('max', 'repository:delta/app:push repository:pub/app:pull');
    expect(after).toMatchObject({ subject: `user:${user}`, access: [expect.objectContaining({ actions: [] }), repository('pub/app', ['pull'], pubId)] });
    expect((await epochs()).isRevoked(after)).toBe(false);
  });

  test.each([
    ['a weaker role', 2, 3, true],
    ['a role without delete', 4, 2, true],
    ['a stronger role', 3, 2, false],
  ])('%s', async (_name, from, to, revoked) => {
    const name = `role${from}${to}`;
    await core.addUser(name);
    await core.addProject(name, { members: { [name]: from } });
    const before = await token(name, `repository:${name}/app:pull`);
    const list = await core.call('GET', `/api/v2.0/projects/${name}/members`, { as: 'admin' });
    const [{ id }] = list.body as [{ id: number }];
    expect((await core.call('PUT', `/api/v2.0/projects/${name}/members/${id}`, { as: 'admin', json: { role_id: to } })).status).toBe(200);
    expect((await epochs()).isRevoked(before)).toBe(revoked);
  });

  test.each([
    ['a new password', (id: number) => core.call('PUT', `/api/v2.0/users/${id}/password`, { as: 'admin', json: { new_password: 'Another-horse-2' } })],
    ['deleting the account', (id: number) => core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' })],
    ['no longer being a system administrator', (id: number) => core.call('PUT', `/api/v2.0/users/${id}/sysadmin`, { as: 'admin', json: { sysadmin_flag: false } })],
  ])('%s', async (name, change) => {
    const user = `user-${name.length}`;
    const id = await core.addUser(user, { sysadmin: true });
    const before = await token(user, 'repository:alpha/app:pull');
    expect((await change(id)).status).toBe(200);
    expect((await epochs()).isRevoked(before)).toBe(true);
  });

  test('deleting a project refuses its tokens, and those of the old one do not fit a new one of that name', async () => {
    const id = await core.addProject('brief');
    const before = await token('admin', 'repository:brief/app:push');
    expect((await core.call('DELETE', '/api/v2.0/projects/brief', { as: 'admin' })).status).toBe(200);
    expect((await epochs()).isRevoked(before)).toBe(true);
    expect((await core.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'brief' } })).status).toBe(201);
    const [entry] = (await token('admin', 'repository:brief/app:push')).access;
    expect(entry).toMatchObject({ actions: ['push'] });
    expect(entry).not.toMatchObject({ project: id });
  });
});
