import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPlatform } from '../deploy/local/platform.mjs';
import { OciClient } from './registry/oci-client.mjs';
import { RestClient } from './registry/rest-client.mjs';

const KEPT_LINES = 400;

/** A password that the platform accepts for accounts. */
export function newPassword() {
  return `Aa1-${randomBytes(12).toString('hex')}`;
}

/** A whole platform of its own on free loopback ports, with its own database, Redis and storage; gone after `stop()`. */
export class Haven {
  #lines = [];
  #project = 0;
  platform;

  /** @param {object} [options] as for startPlatform: `env`, `storage`, `replicas` */
  static async start(options = {}) {
    const haven = new Haven();
    await haven.#start(options);
    return haven;
  }

  async #start({ env, ...options }) {
    // A short path: clients put Unix sockets below it, and those may have 108 bytes.
    this.folder = mkdtempSync(join(tmpdir(), 'hv-'));
    chmodSync(this.folder, 0o711); // the database's system user passes through
    this.adminAccount = { user: 'admin', password: newPassword() };
    this.platform = await startPlatform({
      dataDir: join(this.folder, 'data'),
      httpPort: 0,
      env: { HAVEN_LISTEN_HOST: '127.0.0.1', HAVEN_ADMIN_PASSWORD: this.adminAccount.password, ...env },
      onEvent: (message) => this.#keep('launcher', message),
      onLine: (service, line) => this.#keep(service, line),
      ...options,
    });
    this.admin = new RestClient(this.url, this.adminAccount);
  }

  /** By number: the name localhost may stand for an IPv6 address too, and some clients try that first. */
  get url() {
    return this.platform.url.replace('//localhost', '//127.0.0.1');
  }

  /** host:port, as clients write it in image names. */
  get host() {
    return new URL(this.url).host;
  }

  /** Stops everything and removes every file. */
  async stop() {
    await this.platform.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The registry as this account sees it; without one, as the public does. */
  oci(account) {
    return new OciClient(this.url, account);
  }

  rest(account) {
    return new RestClient(this.url, account);
  }

  /** A new local user. */
  async user(name) {
    const account = { user: name, password: newPassword() };
    await this.admin.createUser(account.user, account.password);
    return account;
  }

  /** A project with a name of its own, with the accounts as members. Resolves to its name. */
  async project({ name = `p${(this.#project += 1)}-${randomBytes(3).toString('hex')}`, isPublic = false, members = {}, metadata } = {}) {
    await this.admin.createProject(name, { isPublic, metadata });
    for (const [username, role] of Object.entries(members)) await this.admin.addMember(name, username, role);
    return name;
  }

  /** Ends a server with kill -9 and starts it again at once. */
  async crash(name) {
    const server = this.#server(name);
    server.kill('SIGKILL');
    await server.stop();
    await server.start();
  }

  #server(name) {
    return this.platform.services[name] ?? this.platform[name];
  }

  /** Memory of the services' processes, by name, in MiB. */
  residentMiB() {
    return Object.fromEntries(['proxy', 'registry', 'core'].map((name) => {
      const status = readFileSync(`/proc/${this.platform.services[name].pid}/status`, 'utf8');
      return [name, Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024];
    }));
  }

  /** What the processes wrote last, for messages. */
  lastLines(count = 40) {
    return this.#lines.slice(-count).join('\n');
  }

  #keep(service, line) {
    this.#lines.push(`${service}: ${line}`);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    if (process.env.HAVEN_E2E_VERBOSE) console.error(`${service}: ${line}`);
  }
}

/** Calls `check` until it resolves to something true, and resolves to that. Throws `what` after `seconds`. */
export async function until(what, check, { seconds = 30, every = 100 } = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      last = await check();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not so after ${seconds} s (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`);
    await delay(every);
  }
}
