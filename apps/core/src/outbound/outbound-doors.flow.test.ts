import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { changeSettings } from '../testing/oidc-core.js';
import { PULL, PUSH, Robots, type TestRobot } from '../testing/robots.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

/** A host that counts who connects, and hangs up. */
class Canary {
  connections = 0;
  readonly #server: Server = createServer((socket: Socket) => {
    this.connections += 1;
    socket.on('error', () => undefined).destroy();
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve); });
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => { this.#server.close(() => { resolve(); }); });
  }
}

interface Door {
  readonly method: string;
  readonly path: string;
  readonly json?: object;
  /** Administrators reach the other host through it; where it takes more than that, nobody is expected to. */
  readonly connects: boolean;
}

let canary: Canary;
let core: TestCore;
let robot: TestRobot;
let robots: Robots;
let doors: readonly Door[];

beforeAll(async () => {
  canary = await new Canary().start();
  core = await startTestCore({ environment: { HAVEN_OUTBOUND_ALLOW: '127.0.0.1' } });
  for (const name of ['alice', 'mia']) await core.addUser(name);
  await core.addProject('alpha', { members: { alice: 1, mia: 4 } });
  robots = new Robots(core);
  robot = await robots.make('ci', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, PUSH] }] });
  const [url, ldap] = [`http://127.0.0.1:${canary.port}`, `ldap://127.0.0.1:${canary.port}`];
  const settings = { ldap_url: ldap, ldap_base_dn: 'dc=x', ldap_uid: 'uid', ldap_group_base_dn: 'dc=x', ldap_search_dn: 'cn=s', ldap_search_password: 'secret', ldap_verify_cert: false, ldap_start_tls: false, oidc_endpoint: url };
  await changeSettings(core, settings);
  const registry = { name: 'other', type: 'harbor', url };
  doors = [
    { method: 'POST', path: '/registries', json: registry, connects: true }, { method: 'POST', path: '/registries/ping', json: registry, connects: true }, { method: 'PUT', path: '/registries/1', json: registry, connects: false },
    { method: 'POST', path: '/system/oidc/ping', json: { url }, connects: true }, { method: 'POST', path: '/system/oidc/ping', json: {}, connects: true },
    { method: 'POST', path: '/ldap/ping', json: { ldap_url: ldap }, connects: true }, { method: 'POST', path: '/ldap/ping', json: {}, connects: true },
    { method: 'GET', path: '/ldap/users/search?username=a', connects: true }, { method: 'GET', path: '/ldap/groups/search?groupname=a', connects: true },
    { method: 'POST', path: '/ldap/users/import', json: { ldap_uid_list: ['a'] }, connects: false },
  ];
});
afterAll(async () => {
  await core.stop();
  await canary.stop();
});
beforeEach(() => { canary.connections = 0; });

describe('H-05: what makes this server send requests is for administrators', () => {
  test('who do reach other hosts through it: the canary sings', async () => {
    for (const { method, path, json } of doors.filter(({ connects }) => connects)) {
      canary.connections = 0;
      await core.call(method, `/api/v2.0${path}`, { as: 'admin', ...(json === undefined ? {} : { json }) });
      expect([path, canary.connections > 0]).toEqual([path, true]);
    }
  });

  test.each<[string, number]>([['anon', 401], ['alice', 403], ['mia', 403]])('%s reaches nobody', async (who, status) => {
    for (const { method, path, json } of doors) {
      const answer = await core.call(method, `/api/v2.0${path}`, { ...(who === 'anon' ? {} : { as: who }), ...(json === undefined ? {} : { json }) });
      expect([path, answer.status]).toEqual([path, status]);
    }
    expect(canary.connections).toBe(0);
  });

  test('nor does a robot of a project', async () => {
    for (const { method, path, json } of doors) expect([path, (await robots.call(robot, method, `/api/v2.0${path}`, json)).status]).toEqual([path, 403]);
    expect(canary.connections).toBe(0);
  });

  test('H-03: one of the system that may look at registries pings them, is told one sentence, and can do no more', async () => {
    const reader = await robots.make('reader', { level: 'system', permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'registry', action: 'read' }] }] }, 'admin');
    const sentences = new Set<unknown>();
    for (const port of [canary.port, 1, 9]) {
      const { status, body } = await robots.call(reader, 'POST', '/api/v2.0/registries/ping', { type: 'harbor', url: `http://127.0.0.1:${port}` });
      expect(status).toBe(400);
      sentences.add((body as { errors: { message: string }[] }).errors[0]?.message);
    }
    expect([...sentences]).toEqual([expect.stringMatching(/^the registry is unhealthy: /)]);
    canary.connections = 0;
    for (const { method, path, json } of doors.filter((door) => door.path !== '/registries/ping')) expect([path, (await robots.call(reader, method, `/api/v2.0${path}`, json)).status]).toEqual([path, 403]);
    expect(canary.connections).toBe(0);
  });
});
