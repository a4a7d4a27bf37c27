import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Child } from '../../deploy/local/child.mjs';
import { freePort } from '../../deploy/local/ports.mjs';
import { Server } from '../../deploy/local/server.mjs';
import { installQuietly } from './debian-packages.mjs';
import { createRunFolder, recordProcesses } from './run-folder.mjs';
import { issueCertificate } from './test-certificate.mjs';

const run = promisify(execFile);
const PROGRAM = '/usr/sbin/slapd';
const SCHEMAS = ['core', 'cosine', 'inetorgperson'];
/** Files that must be there, and the Debian package that brings each. */
const PACKAGES = { [PROGRAM]: 'slapd', '/usr/bin/openssl': 'openssl' };
const BASE = 'dc=haven,dc=test';
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/** Why there can be no OpenLDAP on this machine; undefined when there can be one. Installs it where it is missing. */
export function obstacle() {
  if (process.platform !== 'linux') return 'OpenLDAP is started for tests only on Linux';
  return installQuietly(PACKAGES);
}

/**
 * Starts a real OpenLDAP on loopback, with an empty database that keeps memberOf and takes StartTLS and ldaps. Its
 * certificate is for 127.0.0.1 and not for localhost.
 * @param {{ ldif: string, tls?: boolean }} options what is in it from the start; whether it can speak TLS at all
 * @returns {Promise<{ port: number, securePort: number, baseDn: string, manager: string, password: string, authority: string,
 *   pause(): void, resume(): void, halt(): Promise<void>, revive(): Promise<void>, stop(): Promise<void> }>} `authority` is the path of a
 *   certificate, `manager` the DN of who may do everything; `halt` ends the process, `revive` starts it on the same data and ports
 */
export async function startSlapd({ ldif, tls = true }) {
  const folder = await createRunFolder();
  const server = new Slapd(folder, { ldif, tls });
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.prepare();
    await server.start();
    recordProcesses(folder, [server.pid]);
    const { plain, secure } = server.ports;
    return {
      port: plain, securePort: secure, baseDn: BASE, manager: server.manager, password: server.password, authority: server.authority,
      pause: () => server.kill('SIGSTOP'), resume: () => server.kill('SIGCONT'), stop,
      halt: () => server.stop(),
      revive: async () => {
        await server.start();
        recordProcesses(folder, [server.pid]);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

class Slapd extends Server {
  #folder;
  #options;
  manager = `cn=manager,${BASE}`;
  password = randomBytes(12).toString('hex');
  authority;

  constructor(folder, options) {
    super({ name: 'slapd', readySeconds: 60, stopSeconds: 10, stopSignal: 'SIGINT' });
    this.#folder = folder;
    this.#options = options;
  }

  /** Writes the configuration and fills the database while no server holds it. */
  async prepare() {
    const certificate = issueCertificate(this.#folder, { names: ['directory.haven.test'], addresses: ['127.0.0.1'] });
    this.authority = certificate.authority;
    mkdirSync(this.#path('data'), { mode: 0o700 });
    writeFileSync(this.#path('slapd.conf'), this.#configuration(certificate), { mode: 0o600 });
    writeFileSync(this.#path('start.ldif'), this.#options.ldif, { mode: 0o600 });
    // slapadd keeps no memberOf: what the overlay must keep is added over the wire. Quick mode is safe for files that are new.
    await run('/usr/sbin/slapadd', ['-q', '-f', this.#path('slapd.conf'), '-l', this.#path('start.ldif')], { env: ENV, timeout: 60_000 });
  }

  async choosePorts() {
    return { plain: await freePort(), secure: await freePort() };
  }

  launch({ plain, secure }) {
    const urls = [`ldap://127.0.0.1:${plain}/`, ...(this.#options.tls ? [`ldaps://127.0.0.1:${secure}/`] : [])].join(' ');
    return new Child({ name: 'slapd', command: PROGRAM, args: ['-d', '0', '-f', this.#path('slapd.conf'), '-h', urls], cwd: this.#folder, env: ENV });
  }

  probe({ plain, secure }) {
    return this.#options.tls ? answers({ port: secure, tls: true }) : answers({ port: plain, tls: false });
  }

  #path(name) {
    return join(this.#folder, name);
  }

  #configuration({ authority, certificate, key }) {
    return [
      ...SCHEMAS.map((name) => `include /etc/ldap/schema/${name}.schema`),
      'modulepath /usr/lib/ldap', 'moduleload back_mdb', 'moduleload memberof',
      `pidfile ${this.#path('slapd.pid')}`,
      ...(this.#options.tls ? [`TLSCACertificateFile ${authority}`, `TLSCertificateFile ${certificate}`, `TLSCertificateKeyFile ${key}`] : []),
      // As many directories are: a name without a password is taken for nobody, and says so with success.
      'allow bind_anon_cred',
      'sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited', 'threads 4',
      'database mdb', 'maxsize 268435456', `suffix "${BASE}"`, `rootdn "${this.manager}"`, `rootpw ${this.password}`, `directory ${this.#path('data')}`, 'dbnosync',
      'index objectClass,uid,cn,mail,member,uniqueMember,entryUUID eq',
      'overlay memberof', 'memberof-group-oc groupOfNames', 'memberof-member-ad member', 'memberof-memberof-ad memberOf', 'memberof-refint TRUE',
      'access to attrs=userPassword by anonymous auth by * none', 'access to * by users read by anonymous auth',
      '',
    ].join('\n');
  }
}

function answers({ port, tls }) {
  return new Promise((resolve) => {
    const socket = tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1');
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(error.message));
  });
}
