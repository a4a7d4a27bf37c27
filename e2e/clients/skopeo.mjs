import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** skopeo with its own credentials. Plain HTTP unless `certificates` (a folder with ca.crt) is given. */
export class Skopeo {
  name = 'skopeo';
  #folder;
  #certificates;

  constructor(folder, { certificates } = {}) {
    this.#folder = folder;
    this.#certificates = certificates;
    mkdirSync(folder, { recursive: true });
  }

  run(args, options) {
    return run('/usr/bin/skopeo', args, { seconds: 170, ...options, env: { REGISTRY_AUTH_FILE: join(this.#folder, 'auth.json') } });
  }

  #tls(side = '') {
    return this.#certificates ? [`--${side}cert-dir`, this.#certificates] : [`--${side}tls-verify=false`];
  }

  login(host, user, password) {
    return this.run(['login', ...this.#tls(), '--username', user, '--password-stdin', host], { input: password });
  }

  logout(host) {
    return this.run(['logout', host]);
  }

  /** Registry to an OCI layout folder. `all`: every platform; `architecture`: that one instead of this machine's. */
  async pull(reference, layout, { all = false, architecture } = {}) {
    const file = join(this.#folder, 'pulled-digest');
    const result = await this.run([...(architecture ? ['--override-arch', architecture] : []), 'copy', ...(all ? ['--all'] : []), '--quiet', '--preserve-digests',
      '--digestfile', file, ...this.#tls('src-'), `docker://${reference}`, `oci:${layout}`]);
    return result.code === 0 ? { ...result, digest: readFileSync(file, 'utf8').trim() } : result;
  }

  /** OCI layout folder to a registry. */
  push(layout, reference, { all = false } = {}) {
    return this.#copy(`oci:${layout}`, `docker://${reference}`, { all });
  }

  /** Registry to registry. */
  copy(source, target, { all = false } = {}) {
    return this.#copy(`docker://${source}`, `docker://${target}`, { all, source: this.#tls('src-') });
  }

  async #copy(from, to, { all, source = [] }) {
    const file = join(this.#folder, 'copied-digest');
    const result = await this.run(['copy', ...(all ? ['--all'] : []), '--quiet', '--preserve-digests', '--digestfile', file, ...source, ...this.#tls('dest-'), from, to]);
    return result.code === 0 ? { ...result, digest: readFileSync(file, 'utf8').trim() } : result;
  }

  delete(reference) {
    return this.run(['delete', ...this.#tls(), `docker://${reference}`]);
  }

  async tags(repository) {
    const result = await this.run(['list-tags', ...this.#tls(), `docker://${repository}`]);
    return result.code === 0 ? { ...result, tags: JSON.parse(result.stdout).Tags } : result;
  }

  /** The manifest's own bytes, as text. */
  async raw(reference) {
    const result = await this.run(['inspect', '--raw', ...this.#tls(), `docker://${reference}`]);
    return { ...result, text: result.stdout };
  }
}
