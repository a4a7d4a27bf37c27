import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon } from './daemon.mjs';
import { run, runWell } from './run.mjs';

/** Docker engine and client from Debian's docker.io: an engine of its own with its own data, socket and credentials. */
export class Docker {
  name = 'docker';
  #folder;
  #daemon;

  /** @param {string} folder an empty one; holds everything this engine writes. @param {{ certificates?: string }} [options] */
  static async start(folder) {
    const docker = new Docker(folder);
    await docker.#start();
    return docker;
  }

  constructor(folder) {
    this.#folder = folder;
    mkdirSync(join(folder, 'config'), { recursive: true });
  }

  async #start() {
    const at = (name) => join(this.#folder, name);
    // No bridge and no rules: the engine only moves images here, and must not touch the machine's network.
    const args = ['--data-root', at('data'), '--exec-root', at('exec'), '-H', this.#socket, '--pidfile', at('docker.pid'), '--iptables=false',
      '--ip6tables=false', '--bridge=none', '--max-concurrent-uploads=3'];
    const ready = async () => (await run('/usr/bin/docker', ['-H', this.#socket, 'version', '--format', '{{.Server.Version}}'], { seconds: 10 })).code === 0;
    this.#daemon = await startDaemon({ command: '/usr/sbin/dockerd', args, log: at('dockerd.log'), ready });
  }

  stop() {
    return this.#daemon.stop();
  }

  get #socket() {
    return `unix://${join(this.#folder, 'docker.sock')}`;
  }

  /** Any docker command; see `run`. */
  run(args, options) {
    return run('/usr/bin/docker', args, this.#options(options));
  }

  runWell(args, options) {
    return runWell('/usr/bin/docker', args, this.#options(options));
  }

  #options(options) {
    return { seconds: 170, ...options, env: { DOCKER_HOST: this.#socket, DOCKER_CONFIG: join(this.#folder, 'config'), DOCKER_BUILDKIT: '0', ...options?.env } };
  }

  login(host, user, password) {
    return this.run(['login', '--username', user, '--password-stdin', host], { input: password });
  }

  logout(host) {
    return this.run(['logout', host]);
  }

  /** Resolves to what the engine said: exit code, output, and the digest it was told. */
  async push(reference) {
    const result = await this.run(['push', reference]);
    return { ...result, digest: /digest: (sha256:[0-9a-f]{64})/.exec(result.stdout)?.[1] };
  }

  async pull(reference, { platform } = {}) {
    const result = await this.run(['pull', ...(platform ? ['--platform', platform] : []), reference]);
    return { ...result, digest: /Digest: (sha256:[0-9a-f]{64})/.exec(result.stdout)?.[1] };
  }

  tag(source, target) {
    return this.runWell(['tag', source, target]);
  }

  /** Forgets every image, so that the next pull fetches all bytes again. */
  forgetImages() {
    return this.runWell(['image', 'prune', '--all', '--force']);
  }

  /** Writes the image as a docker-archive tar. */
  save(reference, file) {
    return this.runWell(['save', '-o', file, reference]);
  }

  async inspect(reference) {
    return JSON.parse(await this.runWell(['image', 'inspect', reference]))[0];
  }
}
