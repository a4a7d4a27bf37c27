import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Pusher } from '../testing/push.js';
import { ADMIN_PASSWORD, basic, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const API = '/api/v2.0';
/** Longer than anything here takes, shorter than the pg_sleep of the cases. */
const TOO_SLOW_MS = 2_000;

/** Kept as it came, or refused; never cut, replaced or run. */
const TEXTS: readonly string[] = [
  `';--`, `"; DROP TABLE project; --`, `x'||pg_sleep(4)||'`, `x'); DROP TABLE user_group; --`, `$1 $2 %s %I {0} \${1}`, '\\', '\\x41', `E'\\000'`, '%', '_', '../../etc/passwd', '<script>alert(1)</script>',
  'é', 'e\u0301', 'ﬁ', '한국어', '😀🏴‍☠️', '𝕏𐍈', '\u202Eabc', '\u200B', '\uFEFFx', '\uFFFD', '\uFFFF', 'a\u0000b', '\u0000', '\uD800', 'a\uDC00b', '\uDC00\uD800',
  'line\nbreak', 'carriage\r\nreturn', 'tab\t', '\u001B[2J', '\u007F', ' space before and after ', '=HYPERLINK("x")', '{"a":1}', 'null', '__proto__', 'constructor',
];

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
  const project = await core.addProject('alpha', { members: { alice: 1 } });
  await new Pusher(core.database, project).image('alpha/app', 'content', ['1']);
});
afterAll(() => core.stop());

function admin(method: string, path: string, json?: unknown): Promise<Answer> {
  return core.call(method, `${API}${path}`, { as: 'admin', json });
}

/** Stores the text and resolves to what is stored then; undefined when it was refused. */
type Store = (text: string) => Promise<unknown>;

async function field(answer: Promise<Answer>, path: string | undefined, name: string): Promise<unknown> {
  const { status, headers } = await answer;
  expect([200, 201, 400, 409, 422]).toContain(status);
  if (status >= 400) return undefined;
  const shown = await core.call('GET', path ?? headers.get('location') ?? '', { as: 'admin' });
  expect(shown.status).toBe(200);
  return (shown.body as Record<string, unknown>)[name];
}

let made = 0;
const fresh = (): string => `n${(made += 1)}`;
const ROBOT = { level: 'system', duration: 1, permissions: [{ kind: 'project', namespace: '*', access: [{ resource: 'repository', action: 'pull' }] }] };

const FIELDS: Readonly<Record<string, Store>> = {
  'the name of a label': (text) => field(admin('POST', '/labels', { name: text, scope: 'g' }), undefined, 'name'),
  'the description of a label': (text) => field(admin('POST', '/labels', { name: fresh(), description: text, scope: 'g' }), undefined, 'description'),
  'the colour of a label': (text) => field(admin('POST', '/labels', { name: fresh(), color: text, scope: 'g' }), undefined, 'color'),
  'the name of a group': (text) => field(admin('POST', '/usergroups', { group_name: text, group_type: 3 }), undefined, 'group_name'),
  'the DN of a group': (text) => field(admin('POST', '/usergroups', { group_name: fresh(), group_type: 1, ldap_group_dn: `cn=${text},dc=${fresh()}` }), undefined, 'group_name'),
  'the name of a person': async (text) => field(admin('PUT', `/users/${await idOf('alice')}`, { realname: text }), `${API}/users/${await idOf('alice')}`, 'realname'),
  'the comment on a person': async (text) => field(admin('PUT', `/users/${await idOf('alice')}`, { realname: 'A', comment: text }), `${API}/users/${await idOf('alice')}`, 'comment'),
  'the name of an account': (text) => field(admin('POST', '/users', { username: text, realname: 'X', email: '', password: 'Good-enough-1' }), undefined, 'username'),
  'the description of a repository': (text) => field(admin('PUT', '/projects/alpha/repositories/app', { description: text }), `${API}/projects/alpha/repositories/app`, 'description'),
  'the description of a robot': (text) => field(admin('POST', '/robots', { ...ROBOT, name: fresh(), description: text }), undefined, 'description'),
  'the name of a robot': async (text) => String((await field(admin('POST', '/robots', { ...ROBOT, name: text }), undefined, 'name')) ?? '').replace(/^robot\$/, '') || undefined,
  'the name of a project': (text) => field(admin('POST', '/projects', { project_name: text }), undefined, 'name'),
  'the name of a tag': async (text) => {
    const { status } = await admin('POST', '/projects/alpha/repositories/app/artifacts/1/tags', { name: text });
    expect([201, 400, 409, 422]).toContain(status);
    const { body } = await admin('GET', '/projects/alpha/repositories/app/artifacts/1/tags?page_size=100');
    return status === 201 ? (body as { name: string }[]).find(({ name }) => name === text)?.name : undefined;
  },
};

async function idOf(name: string): Promise<number> {
  const [row] = await core.database.query<{ id: number }>('SELECT id FROM haven_user WHERE username = $1', [name]);
  return row?.id ?? 0;
}

describe('G-02, G-16: text is kept exactly or refused:', () => {
  test.each(Object.entries(FIELDS).filter(([name]) => name !== 'the DN of a group'))('%s', async (_name, store) => {
    const faults: unknown[] = [];
    for (const text of TEXTS) {
      const started = performance.now();
      const kept = await store(text);
      if (kept !== undefined && kept !== text) faults.push([text, kept]);
      if (performance.now() - started > TOO_SLOW_MS) faults.push([text, 'slow']);
    }
    expect(faults).toEqual([]);
    expect(await store('plain')).toBe('plain');
  }, 120_000);

  test('a DN is a DN, whatever is in its values', async () => {
    for (const text of TEXTS) {
      const started = performance.now();
      await (FIELDS['the DN of a group'] as Store)(text);
      expect(performance.now() - started).toBeLessThan(TOO_SLOW_MS);
    }
    const rows = await core.database.query<{ dn: string }>('SELECT ldap_group_dn AS dn FROM user_group WHERE ldap_group_dn <> $1', ['']);
    expect(rows.length).toBeGreaterThan(5);
    for (const { dn } of rows) expect(TEXTS.some((text) => dn.startsWith(`cn=${text},`))).toBe(true);
  });

  test.each(['/usergroups?group_name=', '/usergroups?ldap_group_dn=', '/usergroups/search?groupname=', '/users/search?username=', '/projects?name=', '/search?q='])('%s takes any text for text, and no time', async (path) => {
    for (const text of TEXTS) {
      if (/\p{Surrogate}/u.test(text)) continue;
      const started = performance.now();
      const { status } = await admin('GET', `${path}${encodeURIComponent(text)}`);
      expect([text, [200, 400, 422].includes(status)]).toEqual([text, true]);
      expect(performance.now() - started).toBeLessThan(TOO_SLOW_MS);
    }
  });

  test('nothing was run: every table is there', async () => {
    const { status, body } = await admin('GET', '/projects/alpha/repositories/app');
    expect([status, (body as { artifact_count: number }).artifact_count]).toEqual([200, 1]);
    expect((await admin('GET', '/usergroups')).status).toBe(200);
  });
});

test('G-16: bytes that are no UTF-8 are refused, halves of characters too, wherever they are', async () => {
  const send = (body: Uint8Array | string): Promise<number> => fetch(`${core.url}${API}/labels`, {
    method: 'POST', headers: { authorization: basic('admin', ADMIN_PASSWORD), 'content-type': 'application/json' }, body,
  }).then(({ status }) => status);
  expect(await send(Buffer.from('{"name":"caf\u00e9","scope":"g"}', 'latin1'))).toBe(400);
  expect(await send('{"name":"whole \\ud83d\\ude00","scope":"g"}')).toBe(201);
  for (const half of ['"name":"\\ud83d"', '"name":"x","\\uDE00":1', '"name":"x","other":[{"a":["\\ud83d\\ud83d"]}]']) expect(await send(`{${half},"scope":"g"}`)).toBe(400);
  expect(await send(`${'['.repeat(100_000)}"\\ud83d"${']'.repeat(100_000)}`)).toBe(400);
});

describe('G-14: the same key twice', () => {
  const send = (body: string): Promise<Answer> => core.call('POST', `${API}/projects`, { as: 'admin', body, headers: { 'content-type': 'application/json' } });

  test('means the last one, everywhere', async () => {
    const { status, headers } = await send('{"project_name":"first-name","project_name":"last-name","metadata":{"public":"true","public":"false"}}');
    expect([status, headers.get('location')]).toEqual([201, expect.stringMatching(/\/projects\/\d+$/)]);
    expect((await admin('GET', '/projects/first-name')).status).toBe(404);
    const kept = await admin('GET', '/projects/last-name');
    expect(kept.body).toMatchObject({ name: 'last-name', metadata: { public: 'false' } });
    const [event] = await core.database.query<{ payload: { name: string } }>(`SELECT payload FROM outbox WHERE type = 'project.created' ORDER BY id DESC LIMIT 1`);
    expect(event?.payload.name).toBe('last-name');
  });

  test('is checked as the last one: a good one before does not help a bad one', async () => {
    expect((await send('{"project_name":"good-name","project_name":"../bad"}')).status).toBe(400);
    expect((await send('{"project_name":"good-name","metadata":{"public":"true"},"metadata":{"public":"maybe"}}')).status).toBe(400);
    expect((await admin('GET', '/projects/good-name')).status).toBe(404);
  });

  test('in another case is another key, which means nothing', async () => {
    expect((await send('{"project_name":"lower-name","Project_Name":"upper-name","PUBLIC":true,"metadata":{"Public":"true"}}')).status).toBe(201);
    expect((await admin('GET', '/projects/upper-name')).status).toBe(404);
    expect((await admin('GET', '/projects/lower-name')).body).toMatchObject({ metadata: { public: 'false' } });
  });
});

describe('G-09: line breaks never become headers', () => {
  const SPLIT = '%0d%0aX-Injected:%20yes%0d%0a';
  const clean = ({ status, headers }: Answer): boolean => status < 500 && headers.get('x-injected') === null && [...headers].every(([, value]) => !/[\r\n]/.test(value));

  test('in the links between pages', async () => {
    for (const name of ['alpha-2', 'alpha-3']) await core.addProject(name);
    for (const path of [`/projects?page_size=1&name=alpha${SPLIT}`, `/projects?page_size=1&x=${SPLIT}`, `/projects?page_size=1&q=${encodeURIComponent(`name=~alpha,x=${SPLIT}`)}`, `/labels?scope=g&page_size=1&name=${SPLIT}`, `/projects?page_size=1&sort=${SPLIT}`]) {
      const answer = await admin('GET', path);
      expect([path, clean(answer)]).toEqual([path, true]);
    }
    const { headers } = await admin('GET', '/projects?page_size=1&name=alpha&x=%0d%0aX-Injected:%20yes');
    expect(headers.get('link')).toMatch(/rel="next"/);
  });

  test('in places of what was made, names in paths, pages to go to', async () => {
    const name = decodeURIComponent(SPLIT);
    const answers = [
      await admin('POST', '/projects', { project_name: `a${name}` }), await admin('POST', '/labels', { name: `l${name}`, scope: 'g' }), await admin('POST', '/usergroups', { group_name: name, group_type: 3 }),
      await admin('POST', '/projects/alpha/repositories/app/artifacts/1/tags', { name: `t${name}` }), await admin('GET', `/projects/alpha${SPLIT}`), await admin('GET', `/projects/alpha/repositories/app${SPLIT}`),
      await admin('GET', `/projects/alpha/repositories/app/artifacts/1${SPLIT}`), await admin('GET', `/projects/alpha/repositories/app/artifacts/1/additions/readme.md${SPLIT}`), await admin('GET', `/no/such${SPLIT}`),
      await core.call('GET', `/service/token?service=harbor-registry&scope=repository:alpha/app${SPLIT}:pull&account=${SPLIT}`, { as: 'admin' }), await core.call('GET', `/service/token?service=${SPLIT}`),
      await core.call('GET', `/c/login?redirect_url=${SPLIT}`), await core.call('GET', `/c/log_out?redirect_url=/${SPLIT}`), await core.call('GET', `/${SPLIT}`),
    ];
    expect(answers.map((answer) => [answer.status, clean(answer)]).filter(([, isClean]) => isClean !== true)).toEqual([]);
  });
});
