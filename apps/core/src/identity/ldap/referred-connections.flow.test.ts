import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { openGate, type TcpGate } from '../../testing/tcp-gate.js';
import { Directory } from './directory.js';
import { ldapSettings } from './ldap-settings.js';
import { BASE, group, GROUPS, OpenLdap, openLdapObstacle, person, personDn, SEARCH_PASSWORD } from './testing/open-ldap.js';

const START_MS = 300_000;
const AWAY = `ou=away,${GROUPS}`;
const TWICE = `ou=twice,${BASE}`;
const SILENT = `ou=silent,${BASE}`;
/** Groups of somebody elsewhere: more than are read at once. */
const MANY = 40;

const obstacle = await openLdapObstacle();

/** LDIF of a place. */
const place = (name: string, above: string = BASE): string => `dn: ou=${name},${above}\nobjectClass: organizationalUnit\nou: ${name}\n`;

/** A server that takes connections and says nothing. */
class SilentServer {
  accepted = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.accepted += 1;
    this.#sockets.add(socket.on('error', () => undefined));
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}

(obstacle === undefined ? describe : describe.skip)(`connections that references need${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let near: OpenLdap;
  let far: OpenLdap;
  let nearGate: TcpGate;
  let farGate: TcpGate;
  const silent = new SilentServer();
  let silentPort: number;
  const directories: Directory[] = [];

  const open = (settings: object = {}): Directory => {
    const usual = { ldap_url: `ldaps://127.0.0.1:${nearGate.port}`, ldap_ca_certificate: `${near.authority}\n${far.authority}`, ldap_timeout: 10, ldap_group_membership_attribute: 'seeAlso' };
    const directory = new Directory(ldapSettings({ ...configurationOf(new Map()), ...near.settings(), ...usual, ...settings }, SEARCH_PASSWORD));
    directories.push(directory);
    nearGate.counts();
    farGate.counts();
    return directory;
  };
  const follow = (): object => ({ ldap_referral_hosts: `127.0.0.1:${farGate.port} 127.0.0.1:${silentPort}` });

  beforeAll(async () => {
    near = await OpenLdap.start([person('ann'), person('bob')]);
    far = await OpenLdap.start([
      place('away', GROUPS), place('twice'), group('testers', [personDn('ann')], { dn: `cn=testers,${AWAY}` }), person('tom', { dn: `uid=tom,${TWICE}` }),
    ]);
    nearGate = await openGate('127.0.0.1', near.server.securePort);
    farGate = await openGate('127.0.0.1', far.server.port);
    silentPort = await silent.listen();
    const refer = (name: string, dn: string, ...ports: readonly number[]): Promise<void> => near.change((client) => client.add(dn, { objectClass: ['referral', 'extensibleObject'], ou: name, ref: ports.map((port) => `ldap://127.0.0.1:${port}/${dn}`) }));
    await refer('away', AWAY, farGate.port);
    await refer('twice', TWICE, silentPort, farGate.port);
    await refer('silent', SILENT, silentPort);
    await near.replace(personDn('ann'), 'seeAlso', [`cn=testers,${AWAY}`, ...Array.from({ length: MANY }, (_, index) => `cn=group-${index},${AWAY}`)]);
  }, START_MS);
  afterEach(async () => {
    for (const directory of directories.splice(0)) await directory.close();
  });
  afterAll(async () => {
    await nearGate?.shut();
    await farGate?.shut();
    await silent.stop();
    await near?.stop();
    await far?.stop();
  }, START_MS);

  test('groups on servers that nobody may ask need none', async () => {
    const directory = open({ ldap_scope: 0, ldap_base_dn: personDn('ann') });
    expect((await directory.find('ann'))?.groups).toEqual([]);
    expect(nearGate.counts().accepted).toBe(1);
  });

  test('many groups elsewhere need one more to the server that says where, and one to where they are', async () => {
    const directory = open({ ...follow(), ldap_scope: 0, ldap_base_dn: personDn('ann') });
    for (const accepted of [2, 0]) {
      expect((await directory.find('ann'))?.groups.map(({ name }) => name)).toEqual(['testers']);
      expect(nearGate.counts().accepted).toBe(accepted);
    }
    expect(farGate.counts().accepted).toBe(1);
  });

  test('are all closed with the directory', async () => {
    const directory = open({ ...follow(), ldap_scope: 0, ldap_base_dn: personDn('ann') });
    await Promise.all([directory.find('ann'), directory.find('ann')]);
    await directory.close();
    for (const gate of [nearGate, farGate]) {
      expect(gate.counts().accepted).toBeGreaterThan(0);
      for (let now = gate.counts().atOnce; now > 0; now = gate.counts().atOnce) await new Promise((resolve) => void setTimeout(resolve, 20));
    }
  });

  test('to a server that says nothing are waited for once', async () => {
    const directory = open({ ...follow(), ldap_base_dn: TWICE, ldap_timeout: 2 });
    const before = silent.accepted;
    for (let round = 0; round < 3; round += 1) expect((await directory.find('tom'))?.username).toBe('tom');
    expect(silent.accepted - before).toBe(1);
  });

  test('to a server that says nothing, and has no other beside it, are not tried again at once', async () => {
    const directory = open({ ...follow(), ldap_base_dn: SILENT, ldap_timeout: 2 });
    await expect(directory.find('tom')).rejects.toThrow(/did not answer/);
    const before = silent.accepted;
    await expect(directory.find('tom')).rejects.toThrow(/did not answer/);
    expect(silent.accepted - before).toBe(0);
  });
});
