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
      backstage = await Backstage.start({ url: haven.url, ...haven.adminAccount, redisUrl: haven.platform.redisUrl });
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

    test('logs in, makes, shows and removes a project', async () => {
      await harbor('project', 'create', 'from-cli', '--public=false');
      expect((await json('project', 'list')).map(({ name }) => name)).toEqual(expect.arrayContaining(['from-cli', project]));
      expect(await harbor('project', 'view', 'from-cli')).toContain('from-cli');
      await harbor('project', 'delete', 'from-cli', '--force');
      expect((await json('project', 'list')).map(({ name }) => name)).not.toContain('from-cli');
    });

    test('lists repositories, artifacts and tags, and tags an artifact', async () => {
      expect(await harbor('repo', 'list', project)).toContain('deep/app');
      expect(await harbor('artifact', 'list', `${project}/deep/app`)).toContain(image.digest.slice(0, 16));
    });

    test('shows health, quotas, labels, users and logs', async () => {
      expect(await harbor('health')).toMatch(/healthy/i);
      await harbor('label', 'create', '--name', 'from-cli', '--color', '#00AB9A', '--scope', 'g');
      expect(await harbor('label', 'list')).toContain('from-cli');
      await harbor('quota', 'list');
      await harbor('user', 'list');
      await harbor('logs');
      await harbor('info');
    });
  });
});
