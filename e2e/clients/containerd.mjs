import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon } from './daemon.mjs';
import { run } from './run.mjs';

/** containerd and its `ctr`, with its own data and socket, over plain HTTP. Credentials are given with every call. */
export class Containerd {
  name = 'ctr';
  #folder;
  #daemon;
  #user;

  static async start(folder) {
    const containerd = new Containerd(folder);
    await containerd.#start();
    return containerd;
  }

  constructor(folder) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async #start() {
    const at = (name) => join(this.#folder, name);
    writeFileSync(at('config.toml'), `version = 2\nroot = "${at('root')}"\nstate = "${at('state')}"\n`
      + `disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "${at('c.sock')}"\n[ttrpc]\n  address = "${at('t.sock')}"\n`);
    const ready = async () => (await this.run(['version'], { seconds: 10 })).code === 0;
    this.#daemon = await startDaemon({ command: '/usr/bin/containerd', args: ['-c', at('config.toml')], log: at('containerd.log'), ready });
  }

  stop() {
    return this.#daemon.stop();
  }

  run(args, options) {
    return run('/usr/bin/ctr', ['-a', join(this.#folder, 'c.sock'), ...args], { seconds: 170, ...options });
  }

  async runWell(args, options) {
    const result = await this.run(args, options);
    if (result.code !== 0) throw new Error(`ctr ${args.join(' ')}\n${result.output}`);
    return result.stdout.trim();
  }

  /** ctr keeps no login: the account is used by the calls that follow. */
  async login(_host, user, password) {
    this.#user = `${user}:${password}`;
    return { code: 0, stdout: '', stderr: '', output: '' };
  }

  async logout() {
    this.#user = undefined;
  }

  get #access() {
    return ['--plain-http', ...(this.#user ? ['--user', this.#user] : [])];
  }

  async pull(reference, { platform } = {}) {
    const result = await this.run(['images', 'pull', ...this.#access, '--snapshotter', 'native', ...(platform ? ['--platform', platform] : []), reference]);
    return result.code === 0 ? { ...result, digest: await this.digest(reference) } : result;
  }

  async push(reference, { target = reference } = {}) {
    if (target !== reference) await this.runWell(['images', 'tag', '--force', reference, target]);
    const result = await this.run(['images', 'push', ...this.#access, target]);
    return result.code === 0 ? { ...result, digest: await this.digest(target) } : result;
  }

  async digest(reference) {
    const lines = (await this.runWell(['images', 'list', `name==${reference}`])).split('\n').slice(1);
    return /sha256:[0-9a-f]{64}/.exec(lines[0] ?? '')?.[0];
  }

  async forgetImages() {
    const names = (await this.runWell(['images', 'list', '--quiet'])).split('\n').filter(Boolean);
    if (names.length > 0) await this.runWell(['images', 'remove', '--sync', ...names]);
  }

  /** Writes the image as an OCI archive tar. */
  save(reference, file) {
    return this.runWell(['images', 'export', file, reference]);
  }
}
