import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DataFolder } from './data-folder.mjs';
import { LauncherLog } from './launcher-log.mjs';
import { assertPortIsFree, freePort } from './ports.mjs';
import { createPostgres } from './postgres.mjs';
import { createRedis } from './redis.mjs';
import { Service } from './service.mjs';
import { isSet, passwordFile, serviceEnvironment } from './settings.mjs';
import { Supervisor } from './supervisor.mjs';
import { nodeFlagsFor } from './tuning.mjs';

const root = resolve(import.meta.dirname, '../..');

/** Stopped in this order: the front door first, so that nothing new comes in while the rest finishes. */
const STOP_ORDER = ['proxy', 'registry', 'core', 'job-service', 'log-collector'];

/**
 * @typedef {object} PlatformOptions
 * @property {string} dataDir where everything is kept
 * @property {number} [httpPort] the front door's port; 0 takes a free one. Default: HAVEN_HTTP_PORT of `env`, or 8080
 * @property {Record<string, string>} [env] HAVEN_… settings; the caller's own environment is not read
 * @property {string} [storage] HAVEN_STORAGE; default: files below dataDir
 * @property {{ core?: number, registry?: number, 'job-service'?: number }} [replicas] how many of each; default 1
 * @property {number} [readySeconds] how long each service may take to become ready; default 60
 * @property {(message: string) => void} [onEvent] hears what the launcher does (restarts, orphans stopped)
 * @property {(service: string, line: string) => void} [onLine] every line that a process writes
 * @property {(service: string) => string[]} [nodeFlags] Node.js flags for a service
 * @property {(service: string) => string} [entry] a service's main file; default apps/<service>/dist/main.js
 */

/**
 * Starts the whole platform on this machine and waits until it is ready. The apps must have been built.
 * @param {PlatformOptions} options
 * @returns {Promise<Platform>} stop it with `stop()`
 */
export async function startPlatform(options) {
  const platform = new Platform(options);
  await platform.start();
  return platform;
}

/**
 * A running platform. `services` holds by name (`core`, `registry`, `job-service`, `log-collector`, `proxy`; further
 * replicas are `registry-2` and so on) what controls one process: `pid`, `url`, `privateUrl`, `start()`, `stop()`,
 * `restart()`, `kill(signal)`. A process that ends unasked is started again. `postgres` and `redis` are controlled the
 * same way and are undefined when an outside one is used.
 */
export class Platform {
  services = {};
  postgres;
  redis;
  /** The address for clients on this machine. */
  url;
  /** The administrator's first password, when this start created the administrator with a random one. */
  adminPassword;
  /** Of the embedded Postgres, otherwise HAVEN_DATABASE_URL as given. */
  databaseUrl;
  redisUrl;
  #options;
  #env;
  #folder;
  #log;
  #locked = false;
  #ready = false;
  #stopping;

  /** @param {PlatformOptions} options */
  constructor(options) {
    this.#options = options;
    this.dataDir = resolve(options.dataDir);
    this.#env = { ...options.env, ...(options.storage === undefined ? {} : { HAVEN_STORAGE: options.storage }) };
    this.#folder = new DataFolder(this.dataDir);
    this.#log = new LauncherLog(join(this.#folder.run, 'launcher.log'));
  }

  /** Starts everything and resolves when it is ready. When anything fails, stops what runs and throws. */
  async start() {
    this.#folder.create();
    this.#folder.lock();
    this.#locked = true;
    try {
      const orphans = await this.#folder.stopOrphans();
      if (orphans.length > 0) this.#report(`stopped what an earlier start had left running: ${orphans.join(', ')}`);
      const frontDoor = await this.#frontDoor();
      await this.#startStores();
      await this.#startServices(frontDoor);
      this.url = this.#address(frontDoor);
      this.adminPassword = this.#takeAdminPassword();
      this.#ready = true;
      this.#describe();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops everything in order: front door, services, Redis, Postgres. May be called twice, and while it starts. */
  stop() {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** Ends every process at once and in no order; Postgres recovers at the next start. For a second Ctrl-C. */
  kill() {
    for (const server of [...Object.values(this.services), this.redis]) server?.kill('SIGKILL');
    this.postgres?.kill('SIGQUIT');
  }

  async #stopAll() {
    if (!this.#locked) return;
    const services = Object.values(this.services);
    for (const kind of STOP_ORDER) await Promise.all(services.filter(({ name }) => isOfKind(name, kind)).map((service) => service.stop()));
    await this.redis?.stop();
    await this.postgres?.stop();
    this.#folder.forgetProcesses();
    rmSync(join(this.#folder.run, 'platform.json'), { force: true });
    this.#folder.unlock();
  }

  async #frontDoor() {
    const host = this.#env.HAVEN_LISTEN_HOST ?? '0.0.0.0';
    const http = Number(this.#options.httpPort ?? this.#env.HAVEN_HTTP_PORT ?? 8080);
    if (!Number.isInteger(http) || http < 0 || http > 65_535) throw new Error(`HAVEN_HTTP_PORT is not a port number: ${this.#env.HAVEN_HTTP_PORT}`);
    if (http !== 0) await assertPortIsFree(host, http, 'HAVEN_HTTP_PORT');
    if (this.#env.HAVEN_HTTPS_PORT === '0') this.#env.HAVEN_HTTPS_PORT = String(await freePort());
    const https = this.#env.HAVEN_HTTPS_PORT;
    if (https !== undefined) await assertPortIsFree(host, Number(https), 'HAVEN_HTTPS_PORT');
    return { http: http === 0 ? await freePort() : http, https };
  }

  #address({ http, https }) {
    return this.#env.HAVEN_EXTERNAL_URL ?? (https === undefined ? `http://localhost:${http}` : `https://localhost:${https}`);
  }

  async #startStores() {
    const secrets = this.#prepareSecrets();
    if (!isSet(this.#env, 'HAVEN_DATABASE_URL')) {
      this.postgres = this.#supervise(createPostgres({ folder: join(this.dataDir, 'postgres'), ...secrets.postgres, ...this.#ears('postgres') }));
    }
    if (!isSet(this.#env, 'HAVEN_REDIS_URL')) {
      this.redis = this.#supervise(createRedis({ folder: join(this.dataDir, 'redis'), ...secrets.redis, ...this.#ears('redis') }));
    }
    await Promise.all([this.postgres?.start(), this.redis?.start()]);
    this.databaseUrl = this.postgres?.url ?? this.#env.HAVEN_DATABASE_URL;
    this.redisUrl = this.redis?.url ?? this.#env.HAVEN_REDIS_URL;
  }

  #prepareSecrets() {
    if (!isSet(this.#env, 'HAVEN_SECRET_KEY')) this.#folder.secretKey();
    return {
      postgres: { password: this.#folder.secret('database-password'), superuserPassword: this.#folder.secret('database-superuser-password') },
      redis: { password: this.#folder.secret('redis-password') },
    };
  }

  async #startServices(frontDoor) {
    const behind = ['core', 'registry', 'job-service', 'log-collector'].flatMap((kind) => this.#replicas(kind));
    await this.#startAll(behind.map((name) => this.#addService(name, {})));
    await this.#startAll([this.#addService('proxy', { listen: frontDoor.http })]);
  }

  async #startAll(services) {
    if (this.#stopping) throw new Error('Stopped while starting.');
    await Promise.all(services.map((service) => service.start()));
  }

  #replicas(kind) {
    const count = this.#options.replicas?.[kind] ?? 1;
    return Array.from({ length: count }, (_, index) => (index === 0 ? kind : `${kind}-${index + 1}`));
  }

  #addService(name, ports) {
    const kind = kindOf(name);
    const entry = this.#options.entry?.(kind) ?? join(root, 'apps', kind, 'dist/main.js');
    if (!existsSync(entry)) throw new Error(`${entry} does not exist. Build first: npm run build`);
    const service = new Service({
      name, entry, ports, node: nodeProgram(), nodeFlags: [...nodeFlagsFor(kind), ...(this.#options.nodeFlags?.(name) ?? [])],
      readySeconds: this.#options.readySeconds ?? 60,
      stopSeconds: Number(this.#env.HAVEN_SHUTDOWN_SECONDS ?? 10) + 5,
      environment: (chosen) => serviceEnvironment(kind, chosen, this.#settings()),
      ...this.#ears(name),
    });
    this.services[name] = this.#supervise(service);
    return this.services[name];
  }

  #settings() {
    const urls = (kind) => Object.values(this.services).filter(({ name }) => isOfKind(name, kind)).map(({ url }) => url);
    return {
      env: this.#env, dataDir: this.dataDir,
      databaseUrl: this.postgres?.url, redisUrl: this.redis?.url,
      urls: { registry: urls('registry'), core: urls('core') },
    };
  }

  #supervise(server) {
    return new Supervisor(server, { report: (message) => this.#report(message), onRestarted: () => this.#note(() => this.#describe()) });
  }

  #ears(name) {
    return {
      onLine: (line) => {
        this.#options.onLine?.(name, line);
        if (!this.#ready || !line.startsWith('{')) this.#log.write(name, line);
      },
      onSpawn: (pid) => this.#note(() => this.#folder.rememberProcess(name, pid)),
    };
  }

  /** Notes about processes are for tools and for the next start; a full disk must not keep a process from being started again. */
  #note(write) {
    try {
      write();
    } catch (error) {
      if (!this.#ready) throw error;
      this.#report(`${this.#folder.run} cannot be written: ${error.message}`);
    }
  }

  #report(message) {
    this.#log.write('launcher', message);
    this.#options.onEvent?.(message);
  }

  /** Core leaves a random first password in a file; it is shown once, so the file goes as soon as it was read. */
  #takeAdminPassword() {
    const path = passwordFile(this.dataDir);
    if (!existsSync(path)) return undefined;
    const password = readFileSync(path, 'utf8').trim();
    rmSync(path);
    return password;
  }

  /** run/platform.json: every address and process number, for tools; closed to other users. */
  #describe() {
    if (!this.#ready || this.#stopping) return;
    const services = Object.values(this.services).map(({ name, pid, url, privateUrl }) => [name, { pid, url, privateUrl }]);
    this.#folder.write('platform.json', `${JSON.stringify({
      url: this.url, pid: process.pid, dataDir: this.dataDir, databaseUrl: this.databaseUrl, redisUrl: this.redisUrl,
      postgresPid: this.postgres?.pid, redisPid: this.redis?.pid, services: Object.fromEntries(services),
    }, undefined, 2)}\n`);
  }
}

function kindOf(name) {
  return name.replace(/-\d+$/, '');
}

function isOfKind(name, kind) {
  return kindOf(name) === kind;
}

/** The Node.js that the project declares; the one that runs this file when it is not installed. */
function nodeProgram() {
  const own = join(root, 'node_modules/.bin/node');
  return existsSync(own) ? own : process.execPath;
}
