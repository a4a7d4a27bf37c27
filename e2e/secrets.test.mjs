import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { startS3 } from '../tools/test-services/s3.mjs';
import { Haven, newPassword } from './haven.mjs';
import { digestOf, randomBlob, randomImage } from './image/synthetic.mjs';
import { drained, expectStatus } from './registry/oci-client.mjs';

const BUCKET = 'haven-secrets';
/** The longest life of an address that opens a blob in the store. */
const LONGEST_REDIRECT_SECONDS = 20 * 60;

/** Sections K and L of the security cases: a platform on S3 at debug level, whose every secret is known here and looked for everywhere. */
describe('secrets', () => {
  let folder, s3, haven, dave, project, repository, image, redirected, tried, failure;
  const lines = [];
  /** What must be nowhere in clear: name → text. */
  const secrets = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hs-'));
    s3 = await startS3({ folder });
    mkdirSync(join(folder, 'buckets', BUCKET));
    secrets.adminPassword = newPassword();
    const keyFile = join(folder, 's3-secret');
    writeFileSync(keyFile, s3.secretKey, { mode: 0o600 });
    haven = await Haven.start({
      storage: `s3://${BUCKET}/blobs?endpoint=${encodeURIComponent(s3.endpoint)}&redirect=true`,
      env: {
        HAVEN_LOG_LEVEL: 'debug', HAVEN_ACCESS_LOG: 'all', HAVEN_ADMIN_PASSWORD: secrets.adminPassword, HAVEN_S3_ACCESS_KEY: s3.accessKey, HAVEN_S3_SECRET_KEY_FILE: keyFile,
        HAVEN_SOMETHING_NEW_SECRET: (secrets.unknownSetting = marker()), HAVEN_SOMETHING_ELSE: `https://user:${(secrets.unknownUrl = marker())}@example.org/`,
      },
      onLine: (service, line) => lines.push(`${service}: ${line}`),
    });
    haven.adminAccount.password = secrets.adminPassword;
    haven.admin = haven.rest(haven.adminAccount);
    Object.assign(secrets, { s3AccessKey: s3.accessKey, s3SecretKey: s3.secretKey });
    for (const name of readdirSync(join(haven.platform.dataDir, 'keys'))) secrets[name] = readFileSync(join(haven.platform.dataDir, 'keys', name), 'utf8').trim();
    dave = await haven.user('dave');
    secrets.userPassword = dave.password;
    project = await haven.project({ members: { dave: 'developer' } });
    repository = `${project}/app`;
    image = randomImage({ layers: 2, size: 200_000 });
    await haven.oci(dave).pushImage(repository, '1', image);
    redirected = await haven.oci(dave).getBlob(repository, image.layers[0].digest);
    await useEverySecret();
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
    await s3?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  function marker() {
    return `Zq7${randomBytes(12).toString('hex')}`;
  }

  /** Lets every secret through every door, rightly and wrongly. */
  async function useEverySecret() {
    const call = async (wanted, method, path, body) => {
      const response = await haven.admin.request(method, path, body);
      expectStatus(response, wanted, `${method} ${path}`);
      const text = await response.text();
      return text === '' ? undefined : JSON.parse(text);
    };
    const robot = await call(201, 'POST', '/robots', { name: 'ci', level: 'system', duration: -1, permissions: [{ kind: 'project', namespace: '*', access: [{ resource: 'repository', action: 'pull' }] }] });
    secrets.firstRobotSecret = robot.secret;
    secrets.robotSecret = (await call(200, 'PATCH', `/robots/${robot.id}`, {})).secret;
    secrets.chosenRobotSecret = `Aa1-${marker()}`;
    await call(200, 'PATCH', `/robots/${robot.id}`, { secret: secrets.chosenRobotSecret });
    secrets.robotToken = await haven.oci({ user: robot.name, password: secrets.chosenRobotSecret }).token(`repository:${repository}:pull`);
    secrets.userToken = await haven.oci(dave).token(`repository:${repository}:pull,push`);
    Object.assign(secrets, { oidc: marker(), ldap: marker(), uaa: marker() });
    await call(200, 'PUT', '/configurations', { oidc_client_secret: secrets.oidc, ldap_search_password: secrets.ldap, uaa_client_secret: secrets.uaa });
    secrets.wrongPassword = marker();
    await haven.oci({ user: 'dave', password: secrets.wrongPassword }).requestToken([]);
    secrets.query = marker();
    const query = `account=${secrets.query}&password=${secrets.query}&access_token=${secrets.query}&_state=${secrets.query}`;
    for (const path of [`/service/token?service=harbor-registry&${query}`, `/v2/?${query}`, `/v2/${repository}/blobs/uploads/?${query}`, `/v2/${repository}/manifests/none?${query}`, `/api/v2.0/projects?${query}`, `/no/such/path?${query}`]) {
      for (const method of ['GET', 'POST']) await drained(await fetch(`${haven.url}${path}`, { method, headers: haven.oci(dave).basic() }));
    }
    secrets.bearer = marker();
    secrets.cookie = marker();
    for (const path of ['/v2/', '/api/v2.0/users/current', `/v2/${repository}/manifests/1`]) {
      await drained(await fetch(`${haven.url}${path}`, { headers: { authorization: `Bearer ${secrets.bearer}`, cookie: `sid=${secrets.cookie}`, 'x-harbor-csrf-token': secrets.cookie } }));
    }
    secrets.signature = new URL(redirected.headers.get('location')).searchParams.get('X-Amz-Signature');
    secrets.session = await sessionOf(dave);
    const upload = `${await haven.oci(dave).startUpload(repository)}?_state=${secrets.query}`;
    expectStatus(await drained(await haven.oci(dave).request('PATCH', upload, { scopes: [`repository:${repository}:pull,push`], body: 'x' })), 202, 'a chunk');
    await tryAddress();
    await failWithoutStore();
  }

  /** Through the sign-in page, as a browser does. */
  async function sessionOf(account) {
    const page = await drained(await fetch(`${haven.url}/c/login`));
    const cookies = page.headers.getSetCookie().map((text) => text.split(';', 1)[0]);
    const signedIn = await drained(await fetch(`${haven.url}/c/login`, {
      method: 'POST', body: new URLSearchParams({ principal: account.user, password: account.password }),
      headers: { cookie: cookies.join('; '), 'x-harbor-csrf-token': page.headers.get('x-harbor-csrf-token') ?? '' },
    }));
    expectStatus(signedIn, 200, 'sign in');
    const sid = signedIn.headers.getSetCookie().map((text) => /^(?:__Host-)?sid=([^;]+)/.exec(text)?.[1]).find(Boolean);
    if (!sid) throw new Error(`no session in ${signedIn.headers.getSetCookie()}`);
    return sid;
  }

  /** What the address of the redirect does, and what it does after some changes, as a status each. */
  async function tryAddress() {
    const address = redirected.headers.get('location');
    const other = image.layers[1].digest.slice('sha256:'.length);
    const elsewhere = address.replace(/[0-9a-f]{2}\/[0-9a-f]{64}/, `${other.slice(0, 2)}/${other}`);
    const status = async (method, url) => (await drained(await fetch(url, { method, ...(method === 'PUT' ? { body: 'x' } : {}) }))).status;
    const bytes = Buffer.from(await (await fetch(address)).arrayBuffer());
    tried = {
      content: digestOf(bytes), elsewhereIsAnother: elsewhere !== address,
      statuses: [
        await status('GET', elsewhere), await status('PUT', address), await status('DELETE', address),
        await status('GET', address.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=604800')), await status('GET', address.split('?', 1)[0]), await status('GET', s3.endpoint),
      ],
    };
  }

  /** Pushes while the store is away: these are the errors that would hold addresses and keys. */
  async function failWithoutStore() {
    await s3.stop();
    const oci = haven.oci(dave);
    const blob = randomBlob(5_000);
    const refused = await drained(await oci.request('POST', `/v2/${repository}/blobs/uploads/?digest=${blob.digest}&token=${secrets.query}`, { body: blob.bytes }));
    if (refused.status < 500) throw new Error(`a push without a store was answered ${refused.status}`);
    failure = refused.bodyText;
  }

  /** The names of the secrets in this text. */
  function found(text) {
    return Object.entries(secrets).filter(([, secret]) => text.includes(secret)).map(([name]) => name);
  }

  function files(below) {
    return readdirSync(below, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  test('there are secrets to look for, and traces of their use to look at', () => {
    expect(Object.entries(secrets).filter(([, secret]) => typeof secret !== 'string' || secret.length < 8)).toEqual([]);
    expect(Object.keys(secrets).length).toBeGreaterThan(18);
    for (const service of ['core', 'registry', 'job-service', 'log-collector', 'proxy']) expect(lines.some((line) => line.startsWith(`${service}: `) && line.includes('HAVEN_LOG_LEVEL'))).toBe(true);
    for (const path of ['/service/token', '/v2/', `/v2/${repository}/manifests/1`, '/c/login']) expect(lines.some((line) => line.startsWith('proxy: ') && line.includes(`"path":"${path}"`))).toBe(true);
    expect(lines.some((line) => line.startsWith('registry: ') && line.includes('"level":"error"'))).toBe(true);
  });

  test('K-05: no process prints a secret at its start, whatever it was given as, at debug level', () => {
    const starts = lines.filter((line) => line.includes('HAVEN_'));
    expect(starts.length).toBeGreaterThanOrEqual(5);
    expect(starts.filter((line) => found(line).length > 0)).toEqual([]);
    expect(starts.filter((line) => line.includes('HAVEN_SOMETHING'))).toEqual([]);
  });

  test('K-03, K-09: nor later: no password, token, cookie, query, signed address or key is in any line, whether requests work or fail', () => {
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.filter((line) => found(line).length > 0)).toEqual([]);
  });

  test('K-04: what failed says nothing of the store', () => {
    expect(JSON.parse(failure).errors).toHaveLength(1);
    expect(failure).not.toMatch(new RegExp(`${new URL(s3.endpoint).port}|ECONNREFUSED|${BUCKET}|\\.js|Error:`));
  });

  test('K-09: nor in a metric', async () => {
    for (const { name, privateUrl } of Object.values(haven.platform.services)) {
      const text = await (await fetch(`${privateUrl}/metrics`)).text();
      expect([name, found(text), text.includes('# TYPE')]).toEqual([name, [], true]);
    }
  });

  test('K-08: no row of the database holds one', async () => {
    const client = new pg.Client({ connectionString: haven.platform.databaseUrl });
    await client.connect();
    try {
      const { rows: tables } = await client.query(`SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm')`);
      expect(tables.length).toBeGreaterThan(20);
      for (const { name } of tables) {
        const { rows } = await client.query(`SELECT t::text AS line FROM ${name} t`);
        expect([name, found(rows.map(({ line }) => line).join('\n'))]).toEqual([name, []]);
      }
    } finally {
      await client.end();
    }
  });

  test('K-03, K-08: no file does: not of the database, the queue, the logs or the processes, except the keys themselves', () => {
    const { dataDir } = haven.platform;
    const bytes = files(dataDir).filter((path) => !path.startsWith(join(dataDir, 'keys/'))).map((path) => [path.slice(dataDir.length + 1), readFileSync(path, 'latin1')]);
    expect(bytes.some(([path]) => path.startsWith('redis/'))).toBe(true);
    expect(bytes.some(([path]) => path.startsWith('postgres/'))).toBe(true);
    const holding = bytes.map(([path, text]) => [path, found(text)]).filter(([, names]) => names.length > 0);
    // For tools on this machine, closed to other users: it says how to reach the database.
    expect(holding).toEqual([['run/platform.json', expect.arrayContaining(['database-password', 'redis-password'])]]);
    for (const path of files(join(folder, 'buckets'))) expect(found(readFileSync(path, 'latin1'))).toEqual([]);
  });

  test('K-06: other users of the machine can read no file', () => {
    const { dataDir } = haven.platform;
    const open = files(dataDir).filter((path) => (statSync(path).mode & 0o007) !== 0 && !closedFolder(dirname(path), dataDir));
    expect(open).toEqual([]);
    for (const path of files(join(dataDir, 'keys'))) expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
    expect(statSync(join(dataDir, 'run/platform.json')).mode & 0o777).toBe(0o600);
  });

  /** Whether others cannot pass through this folder, or one above it up to `top`. */
  function closedFolder(path, top) {
    return (statSync(path).mode & 0o001) === 0 || (path !== top && closedFolder(dirname(path), top));
  }

  test('K-06: no command line holds a secret, and no process has one in its environment that it does not need', () => {
    const { services, postgres, redis } = haven.platform;
    const needed = { core: ['database-password', 'redis-password', 'adminPassword', 's3AccessKey'], registry: ['database-password', 'redis-password', 's3AccessKey'], 'job-service': ['database-password', 'redis-password', 's3AccessKey'], 'log-collector': ['redis-password'], proxy: ['redis-password', 's3AccessKey'] };
    for (const { name, pid } of [...Object.values(services), postgres, redis]) {
      expect([name, found(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))]).toEqual([name, []]);
      const held = found(readFileSync(`/proc/${pid}/environ`, 'utf8')).filter((secret) => !['unknownSetting', 'unknownUrl'].includes(secret));
      expect([name, held.filter((secret) => !(needed[name] ?? []).includes(secret))]).toEqual([name, []]);
    }
  });

  test('K-02: nothing that can be read shows one', async () => {
    const robots = await (await haven.admin.request('GET', '/robots')).text();
    const shown = [robots, ...await Promise.all(['/configurations', '/users', '/users/current', '/systeminfo', `/robots/${JSON.parse(robots)[0].id}`, `/projects/${project}`, '/audit-logs?page_size=100', '/auditlog-exts?page_size=100', '/health'].map(async (path) => {
      const response = await haven.admin.request('GET', path);
      return expectStatus(response, 200, path).text();
    }))];
    expect(found(shown.join('\n'))).toEqual([]);
    expect(shown.join('\n')).not.toMatch(/"(?:secret|password|password_hash|secret_hash|salt)":"[^"]+"/);
  });

  describe('L-09: the address that a pull is sent to', () => {
    test('is for this blob, for a short time, and for nobody to keep', () => {
      expect([redirected.status, redirected.headers.get('cache-control')]).toEqual([307, 'no-store']);
      const { pathname, searchParams } = new URL(redirected.headers.get('location'));
      expect(pathname).toContain(image.layers[0].digest.slice('sha256:'.length));
      expect(Number(searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(LONGEST_REDIRECT_SECONDS);
      expect(Number(searchParams.get('X-Amz-Expires'))).toBeGreaterThan(0);
    });

    test('opens this blob only, and for reading only; nothing in it can be changed', () => {
      expect(tried).toEqual({ content: image.layers[0].digest, elsewhereIsAnother: true, statuses: [403, 403, 403, 403, 403, 403] });
    });

    test('is given to nobody without the right to pull', async () => {
      for (const token of [null, secrets.bearer]) {
        const response = await haven.oci().getBlob(repository, image.layers[0].digest, { token });
        expect([response.status, response.headers.get('location')]).toEqual([401, null]);
      }
    });
  });
});
