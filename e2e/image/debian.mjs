import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CACHE } from '../cache.mjs';

const SUITE = 'bookworm';
const MIB = 1024 * 1024;
/** A root file system smaller than this is not one. */
const LEAST_BYTES = 40 * MIB;

/**
 * A tar of a real Debian root file system, made with debootstrap from Debian's packages and kept in `.cache/`. Where
 * that is impossible (no network), a tar of this machine's own files, and a sentence that says so.
 * @returns {Promise<{ file: string, sha256: string, note?: string }>}
 */
export async function debianRootFileSystem() {
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, `debian-${SUITE}-${process.arch}.tar`);
  if (existsSync(file)) return { file, sha256: await sha256(file) };
  try {
    bootstrap(file);
    return { file, sha256: await sha256(file) };
  } catch (error) {
    const own = join(CACHE, `host-files-${process.arch}.tar`);
    if (!existsSync(own)) packHostFiles(own);
    const reason = String(error.stderr || error.message).trim().split('\n').at(-1);
    return { file: own, sha256: await sha256(own), note: `debootstrap was not possible (${reason}): the image holds this machine's own files instead` };
  }
}

function bootstrap(file) {
  const folder = mkdtempSync(join(tmpdir(), 'haven-debootstrap-'));
  try {
    call('/usr/sbin/debootstrap', ['--variant=minbase', SUITE, folder]);
    for (const path of ['var/cache/apt/archives', 'var/lib/apt/lists']) rmSync(join(folder, path), { recursive: true, force: true });
    pack(file, folder, ['.'], LEAST_BYTES);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function packHostFiles(file) {
  const paths = ['etc/debian_version', 'etc/os-release', 'usr/lib/os-release', 'usr/sbin', 'usr/share/common-licenses', 'usr/share/perl5', 'usr/share/zoneinfo'];
  pack(file, '/', paths.filter((path) => existsSync(join('/', path))), MIB);
}

function pack(file, folder, paths, least) {
  const partial = `${file}.${process.pid}.part`;
  call('tar', ['-C', folder, '--sort=name', '--numeric-owner', '--one-file-system', '-cf', partial, ...paths]);
  const { size } = statSync(partial);
  if (size < least) throw new Error(`${partial} holds only ${size} bytes`);
  renameSync(partial, file);
}

function call(command, args) {
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 540_000, maxBuffer: 64 << 20 });
}

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
