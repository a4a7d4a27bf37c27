import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** podman with its own storage and credentials. Plain HTTP unless `certificates` (a folder with ca.crt) is given. */
export class Podman {
  name = 'podman';
  #folder;
  #tls;

  constructor(folder, { certificates } = {}) {
    this.#folder = folder;
    this.#tls = certificates ? ['--cert-dir', certificates] : ['--tls-verify=false'];
    mkdirSync(folder, { recursive: true });
  }

  run(args, options) {
    const at = (name) => join(this.#folder, name);
    const own = ['--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp'), '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    return run('/usr/bin/podman', [...own, ...args], { seconds: 170, ...options, env: { REGISTRY_AUTH_FILE: at('auth.json') } });
  }

  async runWell(args, options) {
    const result = await this.run(args, options);
    if (result.code !== 0) throw new Error(`podman ${args.join(' ')}\n${result.output}`);
    return result.stdout.trim();
  }

  login(host, user, password) {
    return this.run(['login', ...this.#tls, '--username', user, '--password-stdin', host], { input: password });
  }

  logout(host) {
    return this.run(['logout', host]);
  }

  async pull(reference, { architecture } = {}) {
    const result = await this.run(['pull', '--quiet', ...this.#tls, ...(architecture ? ['--arch', architecture] : []), reference]);
    if (result.code !== 0) return result;
    return { ...result, digest: await this.runWell(['image', 'inspect', '--format', '{{.Digest}}', reference]) };
  }

  async push(reference, { target = reference } = {}) {
    const file = join(this.#folder, 'pushed-digest');
    const result = await this.run(['push', '--quiet', ...this.#tls, '--digestfile', file, reference, `docker://${target}`]);
    return result.code === 0 ? { ...result, digest: readFileSync(file, 'utf8').trim() } : result;
  }

  async pushIndex(list, target) {
    const file = join(this.#folder, 'pushed-index-digest');
    const result = await this.run(['manifest', 'push', '--all', '--quiet', ...this.#tls, '--digestfile', file, list, `docker://${target}`]);
    return result.code === 0 ? { ...result, digest: readFileSync(file, 'utf8').trim() } : result;
  }

  forgetImages() {
    return this.runWell(['rmi', '--all', '--force']);
  }

  /** Writes the image as a docker-archive tar. */
  save(reference, file) {
    return this.runWell(['save', '--quiet', '--format', 'docker-archive', '-o', file, reference]);
  }
}
