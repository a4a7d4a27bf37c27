import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../deploy/local/ports.mjs';
import { keptFolder } from './kept-folder.mjs';

const PACKAGE = '@digitalist-open-cloud/backstage-plugin-harbor-backend';
const MANIFEST = JSON.stringify({ private: true, dependencies: { [PACKAGE]: '0.9.0', express: '5.1.0', '@backstage/config': '1.3.3' } });
const SERVER = join(import.meta.dirname, 'backstage-server.cjs');

/** Backstage's Harbor back end, from npm, in a process of its own, with the Redis without a password that it wants for its cache. */
export class Backstage {
  #process;
  #redis;

  /** @param {{ url: string, user: string, password: string }} target */
  static async start(target) {
    const folder = keptFolder('backstage', MANIFEST, (path) => {
      writeFileSync(join(path, 'package.json'), MANIFEST);
      execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], { cwd: path, stdio: ['ignore', 'pipe', 'pipe'], timeout: 500_000 });
    });
    const backstage = new Backstage();
    await backstage.#start(folder, target);
    return backstage;
  }

  async #start(folder, target) {
    const redisPort = await freePort();
    this.#redis = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(redisPort), '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
    this.#process = spawn(process.execPath, [SERVER, folder, JSON.stringify({ ...target, redisPort })], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout });
    for await (const line of lines) {
      const port = /^listening on (\d+)$/.exec(line)?.[1];
      if (port === undefined) continue;
      this.url = `http://127.0.0.1:${port}`;
      return;
    }
    throw new Error('the Backstage back end ended before it listened');
  }

  async stop() {
    for (const child of [this.#process, this.#redis]) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  }
}
