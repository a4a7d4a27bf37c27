import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './clients/run.mjs';
import { Backstage } from './foreign/backstage.mjs';
import { harborCli } from './foreign/harbor-cli.mjs';
import { pythonClient } from './foreign/python-client.mjs';
import { Haven } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';

const python = pythonClient();
if (python.problem) console.log(`The Python client is skipped: ${python.problem}.`);
const cli = harborCli();
if (cli.problem) console.log(`Harbor's command line client is skipped: ${cli.problem}.`);

describe('clients that were written for Harbor', () => {
  let haven, project, image, folder;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hf-'));
    haven = await Haven.start();
    project = await haven.project();
    image = randomImage({ layers: 2 });
    const oci = haven.oci(haven.adminAccount);
    await oci.pushImage(`${project}/deep/app`, '1', image);
    await oci.pushImage(`${project}/deep/app`, '2', randomImage());
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  (python.problem ? test.skip : test)('harborapi, a Python client, does its usual calls', () => expectPythonCalls());

  async function expectPythonCalls() {
    const { user, password } = haven.adminAccount;
    const env = { ...python.env, HAVEN_URL: haven.url, HAVEN_USER: user, HAVEN_PASSWORD: password, HAVEN_PROJECT: project };
    const { code, output } = await run(python.command, python.args, { env, seconds: 120 });
    expect(output).toContain('all calls worked');
    expect(code).toBe(0);
  }

  describe("Backstage's Harbor back end", () => {
    let backstage;
    beforeAll(async () => {
      backstage = await Backstage.start({ url: haven.url, ...haven.adminAccount });
    }, 600_000);
    afterAll(() => backstage?.stop());

    test('shows the artifacts of a repository', async () => {
      const query = new URLSearchParams({ project, repository: encodeURIComponent('deep/app') });
      const response = await fetch(`${backstage.url}/api/harbor/artifacts?${query}`);
      const artifacts = await response.json();
      expect([response.status, artifacts.map(({ tag }) => tag).sort()]).toEqual([200, ['1', '2']]);
      expect(artifacts.find(({ tag }) => tag === '1')).toMatchObject({ artifactDigest: image.digest, size: expect.any(Number), pushTime: expect.stringMatching(/^\d{4}-/) });
    });

    test('finds repositories by a word', async () => {
      const response = await fetch(`${backstage.url}/api/harbor/search?team=e2e`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([{ repository: 'deep' }]),
      });
      expect([response.status, await response.json()]).toEqual([200, [{ project, repository: 'deep' }]]);
    });
  });

  (cli.problem ? describe.skip : describe)("harbor, Harbor's command line client", () => {
    const harbor = async (...args) => {
      const { code, output } = await run(cli.path, args, { env: { HOME: folder, HARBOR_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') }, seconds: 60 });
      if (code !== 0) throw new Error(`harbor ${args.join(' ')} ended with ${code}: ${output}`);
      return output;
    };
    const json = async (...args) => JSON.parse(await harbor(...args, '-o', 'json'));

    beforeAll(async () => {
      mkdirSync(join(folder, '.config'), { recursive: true });
      const { user, password } = haven.adminAccount;
      await harbor('login', haven.url, '-u', user, '-p', password);
    });

    test('makes, shows and lists projects', async () => {
      await harbor('project', 'create', 'from-cli', '--public=false', '--storage-limit', '-1');
      expect((await json('project', 'list')).map(({ name }) => name)).toEqual(expect.arrayContaining(['from-cli', project]));
      expect((await json('project', 'view', 'from-cli')).Payload).toMatchObject({ name: 'from-cli', metadata: { public: 'false' } });
      await harbor('project', 'delete', 'from-cli', '--force');
      expect((await json('project', 'list')).map(({ name }) => name)).not.toContain('from-cli');
    });

    test('lists repositories and artifacts; makes and removes a tag', async () => {
      expect((await json('repo', 'list', project)).Payload.map(({ name }) => name)).toEqual([`${project}/deep/app`]);
      expect((await json('artifact', 'list', `${project}/deep/app`)).Payload.map(({ digest }) => digest)).toContain(image.digest);
      expect((await json('artifact', 'view', `${project}/deep/app:1`)).Payload).toMatchObject({ digest: image.digest, type: 'IMAGE' });
      const tags = async () => (await json('artifact', 'tags', 'list', `${project}/deep/app:1`)).Payload.map(({ name }) => name).sort();
      await harbor('artifact', 'tags', 'create', `${project}/deep/app:1`, 'from-cli');
      expect(await tags()).toEqual(['1', 'from-cli']);
      await harbor('artifact', 'tags', 'delete', `${project}/deep/app:1`, 'from-cli');
      expect(await tags()).toEqual(['1']);
    });

    test('manages users, labels and quotas', async () => {
      await harbor('user', 'create', '--username', 'from-cli', '--password', 'Correct-horse-1', '--email', 'cli@example.com', '--realname', 'CLI');
      expect((await json('user', 'list')).map(({ username }) => username)).toContain('from-cli');
      await harbor('label', 'create', '--name', 'from-cli', '--color', '#00AB9A', '--scope', 'g');
      expect((await json('label', 'list')).Payload.map(({ name }) => name)).toContain('from-cli');
      expect((await json('quota', 'list')).Payload.map(({ ref }) => ref.name)).toContain(project);
    });

    test('shows members, robots, rules, logs, settings and health', async () => {
      expect((await json('project', 'member', 'list', project)).Payload.map((member) => member.entity_name)).toEqual(['admin']);
      expect((await json('project', 'robot', 'list', project)).XTotalCount).toBe(0);
      expect(await json('tag', 'immutable', 'list', project)).toEqual([]);
      expect((await json('project', 'logs', project)).map(({ operation }) => operation)).toContain('create');
      expect(await json('config', 'view')).toMatchObject({ auth_mode: 'db_auth' });
      expect((await json('cve-allowlist', 'list')).Payload.items).toEqual([]);
      expect((await json('health')).Payload.status).toBe('healthy');
    });
  });
});
