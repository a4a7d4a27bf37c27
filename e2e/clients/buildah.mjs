import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** buildah with its own storage and credentials, over plain HTTP. Builds images without running anything in them. */
export class Buildah {
  name = 'buildah';
  #folder;

  constructor(folder) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  run(args, options) {
    const at = (name) => join(this.#folder, name);
    const own = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs'];
    return run('/usr/bin/buildah', [...own, ...args], { seconds: 170, ...options, env: { REGISTRY_AUTH_FILE: at('auth.json') } });
  }

  async runWell(args, options) {
    const result = await this.run(args, options);
    if (result.code !== 0) throw new Error(`buildah ${args.join(' ')}\n${result.output}`);
    return result.stdout.trim();
  }

  login(host, user, password) {
    return this.run(['login', '--tls-verify=false', '--username', user, '--password-stdin', host], { input: password });
  }

  logout(host) {
    return this.run(['logout', host]);
  }

  async pull(reference) {
    const result = await this.run(['pull', '--quiet', '--tls-verify=false', reference]);
    if (result.code !== 0) return result;
    return { ...result, digest: await this.runWell(['inspect', '--type', 'image', '--format', '{{.FromImageDigest}}', reference]) };
  }

  async push(reference, { target = reference } = {}) {
    const file = join(this.#folder, 'pushed-digest');
    const result = await this.run(['push', '--quiet', '--tls-verify=false', '--digestfile', file, reference, `docker://${target}`]);
    return result.code === 0 ? { ...result, digest: readFileSync(file, 'utf8').trim() } : result;
  }

  /** An image for one architecture that holds the given file. Resolves to its name in buildah's storage. */
  async build(name, { architecture, file }) {
    const container = await this.runWell(['from', '--arch', architecture, 'scratch']);
    await this.runWell(['config', '--arch', architecture, '--os', 'linux', '--cmd', '["/hello"]', container]);
    await this.runWell(['copy', container, file, '/hello']);
    await this.runWell(['commit', '--quiet', '--rm', container, name]);
    return name;
  }

  /** A multi-architecture index of the images. */
  async index(list, images) {
    await this.runWell(['manifest', 'create', list]);
    for (const { name, architecture } of images) await this.runWell(['manifest', 'add', '--arch', architecture, '--os', 'linux', list, `containers-storage:${name}`]);
  }

  async pushIndex(list, target) {
    const file = join(this.#folder, 'pushed-index-digest');
    const result = await this.run(['manifest', 'push', '--all', '--quiet', '--tls-verify=false', '--digestfile', file, list, `docker://${target}`]);
    return result.code === 0 ? { ...result, digest: readFileSync(file, 'utf8').trim() } : result;
  }

  forgetImages() {
    return this.runWell(['rmi', '--all', '--force']);
  }

  /** Writes the image as a docker-archive tar. */
  save(reference, file) {
    return this.runWell(['push', '--quiet', reference, `docker-archive:${file}`]);
  }
}
