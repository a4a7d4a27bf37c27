import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { freePort } from '../deploy/local/ports.mjs';
import { Clients, noClients } from './clients.mjs';
import { Podman } from './clients/podman.mjs';
import { runWell } from './clients/run.mjs';
import { Skopeo } from './clients/skopeo.mjs';
import { Haven, until } from './haven.mjs';
import { randomImage, writeLayout } from './image/synthetic.mjs';

const NAME = 'registry.haven.test';

(noClients ? describe.skip : describe)('over TLS, with a certificate authority of the company\'s own', () => {
  let haven, clients, host, project, ann, podman, skopeo, image, certificates;

  const trustedBefore = getCACertificates('default');

  beforeAll(async () => {
    clients = await Clients.start();
    certificates = await new Authority(clients.file('tls')).create();
    setDefaultCACertificates([...trustedBefore, readFileSync(join(certificates.trust, 'ca.crt'), 'utf8')]);
    const port = await freePort();
    host = `127.0.0.1:${port}`;
    haven = await Haven.start({
      env: {
        HAVEN_HTTPS_PORT: String(port), HAVEN_TLS_CERT: certificates.certificate, HAVEN_TLS_KEY: certificates.key, HAVEN_EXTERNAL_URL: `https://${host}`,
      },
    });
    ann = await haven.user('ann');
    project = await haven.project({ members: { ann: 'developer' } });
    podman = new Podman(clients.file('podman-tls'), { certificates: certificates.trust });
    skopeo = new Skopeo(clients.file('skopeo-tls'), { certificates: certificates.trust });
    image = randomImage({ layers: 2, size: 100_000 });
  }, 180_000);

  afterAll(async () => {
    setDefaultCACertificates(trustedBefore);
    rmSync(`/etc/docker/certs.d/${host}`, { recursive: true, force: true });
    await clients?.stop();
    await haven?.stop();
  }, 60_000);

  test('podman and skopeo, which trust the authority, log in, push and pull', async () => {
    for (const client of [podman, skopeo]) {
      const { code, output } = await client.login(host, ann.user, ann.password);
      expect([code, output]).toEqual([0, expect.stringContaining('Login Succeeded')]);
    }
    writeLayout(clients.file('tls-image'), [image], image);
    const pushed = await skopeo.push(clients.file('tls-image'), `${host}/${project}/app:1`);
    expect([pushed.output, pushed.digest]).toEqual(['', image.digest]);
    const pulled = await skopeo.pull(`${host}/${project}/app:1`, clients.file('tls-pulled'));
    expect(pulled.digest).toBe(image.digest);
  });

  test('a client that does not trust the authority stops before it sends a password', async () => {
    mkdirSync(clients.file('empty'));
    const distrustful = new Skopeo(clients.file('skopeo-distrust'), { certificates: clients.file('empty') });
    const { code, output } = await distrustful.login(host, ann.user, ann.password);
    expect(code).not.toBe(0);
    expect(output).toMatch(/certificate|x509/i);
  });

  test('docker finds the authority in certs.d and pushes', async () => {
    const folder = `/etc/docker/certs.d/${host}`;
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(certificates.trust, 'ca.crt'), join(folder, 'ca.crt'));
    const login = await clients.docker.login(host, ann.user, ann.password);
    expect([login.code, login.output]).toEqual([0, expect.stringContaining('Login Succeeded')]);
    writeFileSync(clients.file('note'), 'over TLS\n');
    await runWell('tar', ['-C', clients.file('.'), '-cf', clients.file('note.tar'), 'note']);
    await clients.docker.runWell(['import', clients.file('note.tar'), `${host}/${project}/note:1`]);
    const pushed = await clients.docker.push(`${host}/${project}/note:1`);
    expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('Pushed')]);
    const pulled = await podman.pull(`${host}/${project}/note:1`);
    expect([pulled.output, pulled.digest]).toEqual([expect.anything(), pushed.digest]);
  });

  test('a new certificate is used as soon as its files are replaced, without a restart', async () => {
    const before = await serialNumber(host);
    const pid = haven.platform.services.proxy.pid;
    await certificates.renew();
    const after = await until('the proxy serves the new certificate', async () => {
      const serial = await serialNumber(host);
      return serial === before ? undefined : serial;
    }, { seconds: 60, every: 500 });
    expect(after).toBe(certificates.serial);
    expect(haven.platform.services.proxy.pid).toBe(pid);
    const pulled = await skopeo.pull(`${host}/${project}/app:1`, clients.file('tls-renewed'));
    expect(pulled.digest).toBe(image.digest);
  });

  test('a broken certificate file is not taken into service', async () => {
    writeFileSync(certificates.certificate, 'not a certificate\n');
    for (let i = 0; i < 8; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await serialNumber(host)).toBe(certificates.serial);
    }
    await certificates.renew();
    await until('the repaired certificate is served', async () => (await serialNumber(host)) === certificates.serial, { seconds: 60, every: 500 });
  });

  /** The serial number of the certificate that a new connection is shown, checked against the authority. */
  function serialNumber(address) {
    const [hostname, port] = address.split(':');
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), ca: readFileSync(join(certificates.trust, 'ca.crt')) }, () => {
        const { serialNumber: serial } = socket.getPeerCertificate();
        socket.end();
        resolve(serial.toUpperCase());
      });
      socket.on('error', reject);
    });
  }
});

/** A certificate authority made with openssl, and the certificate it gave to the registry. */
class Authority {
  #folder;
  #count = 0;
  serial;

  constructor(folder) {
    this.#folder = folder;
    mkdirSync(join(folder, 'trust'), { recursive: true });
  }

  /** A folder in the form that podman and skopeo take: ca.crt. */
  get trust() {
    return join(this.#folder, 'trust');
  }

  get certificate() {
    return join(this.#folder, 'server.crt');
  }

  get key() {
    return join(this.#folder, 'server.key');
  }

  async create() {
    await this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=Haven test authority',
      '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign', '-keyout', 'ca.key', '-out', 'trust/ca.crt');
    await this.renew();
    return this;
  }

  /** Issues a certificate with a new key and puts both in place, each in one step. */
  async renew() {
    this.#count += 1;
    this.serial = (0x1000 + this.#count).toString(16).toUpperCase();
    writeFileSync(join(this.#folder, 'names'), `subjectAltName=DNS:${NAME},DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n`);
    await this.#openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${NAME}`, '-keyout', 'new.key', '-out', 'new.csr');
    await this.#openssl('x509', '-req', '-in', 'new.csr', '-CA', 'trust/ca.crt', '-CAkey', 'ca.key', '-set_serial', `0x${this.serial}`, '-days', '1',
      '-extfile', 'names', '-out', 'new.crt');
    renameSync(join(this.#folder, 'new.key'), this.key);
    renameSync(join(this.#folder, 'new.crt'), this.certificate);
  }

  #openssl(...args) {
    return runWell('/usr/bin/openssl', args, { cwd: this.#folder });
  }
}
