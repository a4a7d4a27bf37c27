import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.mjs';
import { freePort, isPortTaken } from './ports.mjs';

/**
 * A redis-server on loopback with a password. Its configuration goes through standard input, so the password is in no
 * file and on no command line.
 * @param {object} options
 * @param {string} options.folder where it keeps its files, absolute; created when absent
 * @param {string} options.password
 * @param {boolean} [options.persistent] keep an append-only file, synced every second; otherwise memory only
 * @param {(line: string) => void} [options.onLine]
 */
export async function startRedis({ folder, password, persistent = true, onLine }) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const server = new Redis({ program: locateRedis(), folder, password, persistent, onLine });
  await server.start();
  return server;
}

class Redis {
  #options;
  #child;
  port;

  constructor(options) {
    this.#options = options;
  }

  get pid() {
    return this.#child?.pid;
  }

  get child() {
    return this.#child;
  }

  get url() {
    return `redis://:${this.#options.password}@127.0.0.1:${this.port}`;
  }

  /** Starts it (again) and waits until it has loaded its data. The port is chosen once. */
  async start({ seconds = 60 } = {}) {
    if (this.#child?.running) return;
    for (let attempt = 1; ; attempt += 1) {
      const port = this.port ?? await freePort();
      this.#child = this.#launch(port);
      if (await this.#answers(port, seconds)) {
        this.port = port;
        return;
      }
      if (!isPortTaken(this.#child.output()) || attempt === 10) throw new Error(`Redis ${this.#child.ending()}.\n${this.#child.output(20)}`);
      await delay(200 * attempt);
    }
  }

  async stop({ seconds = 15 } = {}) {
    await this.#child?.stop({ seconds });
  }

  kill(signal = 'SIGKILL') {
    this.#child?.kill(signal);
  }

  #launch(port) {
    const { program, folder, password, persistent, onLine } = this.#options;
    const configuration = {
      bind: '127.0.0.1', port, dir: `"${folder.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`, requirepass: password,
      daemonize: 'no', save: '""', appendonly: persistent ? 'yes' : 'no', appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction', loglevel: 'notice',
    };
    const input = Object.entries(configuration).map(([name, value]) => `${name} ${value}\n`).join('');
    return new Child({ name: 'redis', command: program, args: ['-'], input, env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' }, cwd: folder, onLine });
  }

  async #answers(port, seconds) {
    const end = Date.now() + seconds * 1000;
    const child = this.#child;
    while (child.running) {
      if (await pings(port, this.#options.password)) return true;
      if (Date.now() > end) {
        await child.stop({ seconds: 5 });
        throw new Error(`Redis did not answer within ${seconds} s.\n${child.output(20)}`);
      }
      await delay(20);
    }
    return false;
  }
}

/** Whether a Redis that knows this password answers PING; one that is still loading its data does not count. */
function pings(port, password) {
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('data', (chunk) => {
      reply += chunk;
      if (reply.includes('+PONG')) finish(true);
      else if (reply.includes('-')) finish(false);
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
