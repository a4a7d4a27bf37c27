import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Buildah } from './clients/buildah.mjs';
import { Containerd } from './clients/containerd.mjs';
import { Docker } from './clients/docker.mjs';
import { Podman } from './clients/podman.mjs';
import { Skopeo } from './clients/skopeo.mjs';
import { installClients } from './install-clients.mjs';

const { problem } = installClients();

/** Why the real clients cannot run here; undefined when they can. */
export const noClients = problem;

if (problem) console.log(`The flows with real clients are skipped: ${problem}.`);

/** All real clients, each with its own data and credentials; gone after `stop()`. */
export class Clients {
  static async start() {
    const clients = new Clients();
    await clients.#start();
    return clients;
  }

  async #start() {
    this.folder = mkdtempSync(join(tmpdir(), 'hc-'));
    const at = (name) => join(this.folder, name);
    mkdirSync(at('files'));
    this.podman = new Podman(at('podman'));
    this.buildah = new Buildah(at('buildah'));
    this.skopeo = new Skopeo(at('skopeo'));
    this.docker = await Docker.start(at('docker'));
    this.ctr = await Containerd.start(at('ctr'));
  }

  get all() {
    return [this.docker, this.podman, this.skopeo, this.buildah, this.ctr];
  }

  /** The path of a file that goes away with the clients. */
  file(name) {
    return join(this.folder, 'files', name);
  }

  async login(host, { user, password }) {
    for (const client of this.all) {
      const { code, output } = await client.login(host, user, password);
      if (code !== 0) throw new Error(`${client.name} could not log in to ${host} as ${user}: ${output}`);
    }
  }

  async stop() {
    await Promise.all([this.docker?.stop(), this.ctr?.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
