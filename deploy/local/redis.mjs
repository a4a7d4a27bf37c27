import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { Child } from './child.mjs';
import { freePort } from './ports.mjs';
import { Server } from './server.mjs';

/**
 * A redis-server on loopback with a password. Its configuration goes through standard input, so the password is in no
 * file and on no command line.
 * @param {object} options
 * @param {string} options.folder where it keeps its files, absolute; created when absent
 * @param {string} options.password
 * @param {boolean} [options.persistent] keep an append-only file, synced every second; otherwise memory only
 * @param {(line: string) => void} [options.onLine] every line it writes
 * @param {(pid: number) => void} [options.onSpawn] at every start
 * @returns {Redis} not started yet; `url` is known after the first `start()` and stays the same
 */
export function createRedis({ folder, password, persistent = true, onLine, onSpawn }) {
  return new Redis({ program: locateRedis(), folder, password, persistent, onLine, onSpawn });
}

class Redis extends Server {
  #options;

  constructor(options) {
    super({ name: 'redis', readySeconds: 60, stopSeconds: 15 });
    this.#options = options;
  }

  get url() {
    return `redis://:${this.#options.password}@127.0.0.1:${this.ports.listen}`;
  }

  async start() {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    await super.start();
  }

  async choosePorts() {
    return { listen: await freePort() };
  }

  launch({ listen }) {
    const { program, folder, password, persistent, onLine, onSpawn } = this.#options;
    const configuration = {
      bind: '127.0.0.1', port: listen, dir: `"${folder.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`, requirepass: password,
      daemonize: 'no', save: '""', appendonly: persistent ? 'yes' : 'no', appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction', loglevel: 'notice',
    };
    const input = Object.entries(configuration).map(([name, value]) => `${name} ${value}\n`).join('');
    return new Child({
      name: 'redis', command: program, args: ['-'], input, cwd: folder, env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' }, onLine, onSpawn,
    });
  }

  probe({ listen }) {
    return ping(listen, this.#options.password);
  }
}

/** Asks a Redis for a sign of life. Resolves to undefined when it answers; one that is still loading its data does not. */
function ping(port, password) {
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => finish('no answer within 2 s'));
    socket.on('error', (error) => finish(error.message));
    socket.on('close', () => finish('connection closed'));
    socket.on('data', (chunk) => {
      reply += chunk;
      if (reply.includes('+PONG')) finish(undefined);
      else if (/^-/m.test(reply)) finish(reply.trim());
    });
  });
}

function locateRedis() {
  const program = 'redis-server';
  try {
    execFileSync(program, ['--version'], { stdio: 'pipe', timeout: 10_000 });
    return program;
  } catch (error) {
    throw new Error(`${program} was not found. Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) or set HAVEN_REDIS_URL to a Redis of yours.`, { cause: error });
  }
}
