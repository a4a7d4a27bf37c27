import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { openGate, type TcpGate } from '../../testing/tcp-gate.js';
import { Directory } from './directory.js';
import { ldapSettings } from './ldap-settings.js';
import { DIRECTORY_PASSWORD, OpenLdap, openLdapObstacle, person, SEARCH_PASSWORD } from './testing/open-ldap.js';

const START_MS = 300_000;

const obstacle = await openLdapObstacle();

(obstacle === undefined ? describe : describe.skip)(`connections to a directory${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let server: OpenLdap;
  let gate: TcpGate;
  let directory: Directory;

  beforeAll(async () => {
    server = await OpenLdap.start([person('ann'), person('bob')]);
    gate = await openGate('127.0.0.1', server.server.securePort);
  }, START_MS);
  beforeEach(() => {
    const settings = { ...configurationOf(new Map()), ...server.settings(), ldap_url: `ldaps://127.0.0.1:${gate.port}`, ldap_timeout: 2 };
    directory = new Directory(ldapSettings(settings, SEARCH_PASSWORD));
    gate.counts();
  });
  afterEach(() => directory.close());
  afterAll(async () => {
    await gate?.shut();
    await server?.stop();
  }, START_MS);

  test('are few for many who search at once, and kept', async () => {
    const found = await Promise.all(Array.from({ length: 60 }, (_, index) => directory.find(index % 2 === 0 ? 'ann' : 'nobody')));
    expect(found.filter((person) => person?.username === 'ann')).toHaveLength(30);
    const { accepted, atOnce } = gate.counts();
    expect([accepted, atOnce]).toEqual([8, 8]);
    await Promise.all(Array.from({ length: 60 }, () => directory.find('bob')));
    expect(gate.counts().accepted).toBe(0);
  });

  test('for passwords are used once, and never for searching', async () => {
    await directory.find('ann');
    gate.counts();
    expect((await directory.authenticate('ann', DIRECTORY_PASSWORD))?.username).toBe('ann');
    expect(await directory.authenticate('ann', 'wrong')).toBeUndefined();
    expect(await directory.authenticate('nobody', 'wrong')).toBeUndefined();
    expect(gate.counts().accepted).toBe(3);
    expect((await directory.find('bob'))?.username).toBe('bob');
    expect(gate.counts().accepted).toBe(0);
  });

  test('that were lost are made anew, without anybody noticing', async () => {
    await directory.find('ann');
    await gate.shut();
    await gate.open();
    expect((await directory.find('ann'))?.username).toBe('ann');
  });

  test('are not waited for longer than the settings say, nor again by everybody while the server hangs', async () => {
    await directory.find('ann');
    server.server.pause();
    try {
      const begun = performance.now();
      const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => directory.find('ann')));
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
      expect(performance.now() - begun).toBeLessThan(12_000);
    } finally {
      server.server.resume();
    }
    await new Promise((resolve) => void setTimeout(resolve, 3_100));
    expect((await directory.find('ann'))?.username).toBe('ann');
  }, 30_000);

  test('end when the settings change', async () => {
    await Promise.all([directory.find('ann'), directory.find('bob')]);
    await directory.close();
    await new Promise((resolve) => void setTimeout(resolve, 200));
    gate.counts();
    expect(gate.counts().atOnce).toBe(0);
  });
});
