import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Child } from '../../deploy/local/child.mjs';
import { Server } from '../../deploy/local/server.mjs';
import { installQuietly } from './debian-packages.mjs';
import { createRunFolder, recordProcesses } from './run-folder.mjs';
import { issueCertificate } from './test-certificate.mjs';

const TRIPLET = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];
/** Files that must be there, and the Debian package that brings each. */
const PACKAGES = {
  '/usr/sbin/samba': 'samba',
  '/usr/share/samba/setup/provision.ldif': 'samba-ad-provision',
  [`/usr/lib/${TRIPLET}/samba/ldb/samldb.so`]: 'samba-dsdb-modules',
  '/usr/bin/openssl': 'openssl',
};
const PYTHON = '/usr/bin/python3'; // Debian's own: Samba's modules are of no other
const REALM = 'HAVEN.TEST';
const DOMAIN = 'HAVEN';
const HOST = 'dc1';
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
const PROVISION_SECONDS = 60;

/** Why there can be no domain controller on this machine; undefined when there can be one. Installs it where it is missing. */
export function obstacle() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'an Active Directory domain controller is started only as root, on Linux: LDAP in a domain has port 389';
  return installQuietly(PACKAGES);
}

/**
 * Starts a real domain controller: Samba, with nothing but its LDAP service, on two loopback addresses of its own,
 * because LDAP in a domain has fixed ports. Its certificate names the first address and `dc1.haven.test`, not the second.
 * @param {{ crowd?: number }} [options] `crowd`: accounts in OU=Crowd, which a group there holds as well; none when left out
 * @returns {Promise<{ address: string, unnamedAddress: string, host: string, baseDn: string, administrator: string,
 *   password: string, authority: string, stop(): Promise<void> }>} `authority` is the path of the certificate authority's
 *   certificate; `administrator` is a DN
 */
export async function startSamba({ crowd = 0 } = {}) {
  const folder = await createRunFolder();
  const server = new Samba(folder, crowd);
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.start();
    recordProcesses(folder, [server.pid]);
    const baseDn = REALM.toLowerCase().split('.').map((part) => `DC=${part}`).join(',');
    const [address, unnamedAddress] = server.ports.addresses;
    return {
      address, unnamedAddress, host: `${HOST}.${REALM.toLowerCase()}`, baseDn, administrator: `CN=Administrator,CN=Users,${baseDn}`,
      password: server.password, authority: server.ports.authority, stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

class Samba extends Server {
  #folder;
  #crowd;
  password = `Aa1-${randomBytes(12).toString('hex')}`;

  constructor(folder, crowd) {
    super({ name: 'samba', readySeconds: 30, stopSeconds: 10 });
    this.#folder = folder;
    this.#crowd = crowd;
  }

  /** Another pair of addresses each time: its database does not know them. */
  async choosePorts() {
    const part = () => randomInt(1, 250);
    const [second, third, fourth] = [part(), part(), part()];
    const addresses = [`127.${second}.${third}.${fourth}`, `127.${second}.${third}.${fourth + 1}`];
    const folder = join(this.#folder, `attempt-${addresses[0]}`);
    const path = this.#writeSettings(folder, addresses);
    const certificate = issueCertificate(folder, { names: [`${HOST}.${REALM.toLowerCase()}`], addresses: [addresses[0]] });
    await this.#provision(path, addresses[0]);
    return { addresses, path, authority: certificate.authority, folder };
  }

  launch({ path, folder }) {
    // One process, which ends when its standard input closes: nothing is left when the test run is killed.
    const options = { name: 'samba', command: '/usr/sbin/samba', cwd: folder, env: ENV, holdsInput: true };
    const child = new Child({ ...options, args: ['--interactive', '--model=single', '--configfile', path] });
    recordProcesses(this.#folder, child.pid === undefined ? [] : [child.pid]);
    return child;
  }

  probe({ addresses: [host] }) {
    return new Promise((resolve) => {
      const socket = connect({ host, port: 636, rejectUnauthorized: false, timeout: 2_000 });
      const end = (answer) => {
        socket.destroy();
        resolve(answer);
      };
      socket.once('secureConnect', () => end(undefined));
      socket.once('timeout', () => end('no answer'));
      socket.once('error', (error) => end(error.message));
    });
  }

  #writeSettings(folder, addresses) {
    const folders = Object.fromEntries(['private', 'state', 'cache', 'lock', 'pid', 'ncalrpc', 'sysvol', 'bind-dns'].map((name) => [name, join(folder, name)]));
    for (const path of Object.values(folders)) mkdirSync(path, { recursive: true, mode: 0o700 });
    const path = join(folder, 'smb.conf');
    writeFileSync(path, settings(folder, folders, addresses), { mode: 0o600 });
    return path;
  }

  async #provision(path, address) {
    const input = JSON.stringify({ settings: path, realm: REALM, domain: DOMAIN, host: HOST, address, password: this.password, crowd: this.#crowd });
    const child = new Child({ name: 'provision', command: PYTHON, args: [join(import.meta.dirname, 'samba-provision.py')], env: ENV, input });
    recordProcesses(this.#folder, child.pid === undefined ? [] : [child.pid]);
    if (!await child.endsWithin(PROVISION_SECONDS)) await child.stop();
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`The domain for tests could not be made: it ${child.ending()}. Its last lines:\n${child.output(25)}`);
  }
}

function settings(folder, folders, addresses) {
  return `[global]
workgroup = ${DOMAIN}
realm = ${REALM}
netbios name = ${HOST.toUpperCase()}
server role = active directory domain controller
server services = ldap
interfaces = ${addresses.map((address) => `${address}/8`).join(' ')}
bind interfaces only = yes
private dir = ${folders.private}
state directory = ${folders.state}
cache directory = ${folders.cache}
lock directory = ${folders.lock}
pid directory = ${folders.pid}
ncalrpc dir = ${folders.ncalrpc}
binddns dir = ${folders['bind-dns']}
old password allowed period = 0
tls enabled = yes
tls keyfile = ${join(folder, 'server.key')}
tls certfile = ${join(folder, 'server.crt')}
tls cafile = ${join(folder, 'authority.crt')}

[sysvol]
path = ${folders.sysvol}
[netlogon]
path = ${folders.sysvol}/${REALM.toLowerCase()}/scripts
`;
}

/**
 * As a program: prints one line of JSON, then stops when its standard input closes. The line says what `startSamba` does,
 * or has an `obstacle`: why there can be none. With the argument `check` it only looks for obstacles; another one is the crowd.
 */
async function main() {
  const reason = obstacle();
  if (reason !== undefined || process.argv[2] === 'check') {
    console.log(JSON.stringify({ obstacle: reason }));
    return;
  }
  const closed = new Promise((resolve) => {
    process.stdin.once('end', resolve).once('error', resolve).resume();
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  const { stop, ...facts } = await startSamba({ crowd: Number(process.argv[2] ?? 0) });
  console.log(JSON.stringify(facts));
  await closed;
  await stop();
  process.stdin.destroy();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
