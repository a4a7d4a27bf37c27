import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { configurationOf, type Configuration } from '@haven/api';
import { Directory } from './directory.js';
import { ldapSettings } from './ldap-settings.js';
import { BASE, DIRECTORY_PASSWORD, group, groupDn, GROUPS, OpenLdap, openLdapObstacle, PEOPLE, person, personDn, SEARCH_PASSWORD } from './testing/open-ldap.js';

const START_MS = 300_000;
const TEAM = `ou=team,${PEOPLE}`;

const obstacle = await openLdapObstacle();

const place = (dn: string, name: string): string => `dn: ${dn}\nobjectClass: organizationalUnit\nou: ${name}\n`;

/** What each setting of a directory means, to a real one. */
(obstacle === undefined ? describe : describe.skip)(`the settings of a directory${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let server: OpenLdap;
  const opened: Directory[] = [];

  const directory = (more: Partial<Configuration>): Directory => {
    const one = new Directory(ldapSettings({ ...configurationOf(new Map()), ...server.settings(), ...more }, SEARCH_PASSWORD));
    opened.push(one);
    return one;
  };
  const login = async (name: string, more: Partial<Configuration> = {}): Promise<string | undefined> => (await directory(more).authenticate(name, DIRECTORY_PASSWORD))?.username;
  const groupsOf = async (name: string, more: Partial<Configuration>): Promise<string[]> => ((await directory(more).find(name))?.groups ?? []).map((one) => one.name).sort();

  beforeAll(async () => {
    server = await OpenLdap.start([
      person('ann'), person('bob', { mail: 'robert@haven.test' }), place(TEAM, 'team'), person('tom', { dn: `uid=tom,${TEAM}` }), person('eve', { dn: `uid=eve,ou=more,${BASE}` }),
      place(`ou=inner,${GROUPS}`, 'inner'), group('outer', [personDn('ann')]), group('inner', [personDn('ann')], { dn: `cn=inner,ou=inner,${GROUPS}` }), group('unique', [personDn('ann')], { unique: true }),
    ]);
    await server.addMember(groupDn('outer'), `uid=tom,${TEAM}`);
  }, START_MS);
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  afterAll(() => server?.stop(), START_MS);

  test.each<[string, Partial<Configuration>, readonly string[]]>([
    ['everything below it', { ldap_base_dn: PEOPLE, ldap_scope: 2 }, ['ann', 'bob', 'tom']],
    ['the level below it', { ldap_base_dn: PEOPLE, ldap_scope: 1 }, ['ann', 'bob']],
    ['the entry itself', { ldap_base_dn: personDn('ann'), ldap_scope: 0 }, ['ann']],
    ['another base', { ldap_base_dn: `ou=more,${BASE}` }, ['eve']],
    ['everything', {}, ['ann', 'bob', 'tom', 'eve']],
  ])('people are where the base and the scope say: %s', async (_name, more, names) => {
    const found = await Promise.all(['ann', 'bob', 'tom', 'eve'].map((name) => login(name, more)));
    expect(found.filter((name) => name !== undefined)).toEqual(names);
  });

  test('people are those whom the filter lets through, with or without parentheses', async () => {
    for (const filter of ['(mail=robert@*)', 'mail=robert@*', '(&(objectClass=person)(mail=robert@haven.test))']) {
      expect([await login('bob', { ldap_filter: filter }), await login('ann', { ldap_filter: filter })]).toEqual(['bob', undefined]);
    }
    expect(await login('ann', { ldap_filter: '' })).toBe('ann');
    expect((await directory({ ldap_filter: '(mail=robert@*)' }).searchPeople('')).map(({ username }) => username)).toEqual(['bob']);
  });

  test.each([['uid', 'bob', 'bob'], ['mail', 'robert@haven.test', 'robert@haven.test'], ['mail', 'ROBERT@haven.test', 'robert@haven.test'], ['cn', 'bob', 'bob'], ['mail', 'bob', undefined], ['uid', 'robert@haven.test', undefined]])(
    'with the UID attribute %s the name %s is that of %s', async (attribute, name, expected) => {
      expect(await login(name, { ldap_uid: attribute })).toBe(expected);
    });

  test.each<[string, Partial<Configuration>, readonly string[]]>([
    ['none while there is no filter for them', { ldap_group_search_filter: '' }, []],
    ['of the kinds that the filter lets through', { ldap_group_search_filter: '(objectClass=groupOfNames)' }, ['inner', 'outer']],
    ['of both kinds', {}, ['inner', 'outer', 'unique']],
    ['below their base', { ldap_group_base_dn: `ou=inner,${GROUPS}` }, ['inner']],
    ['in one level', { ldap_group_search_scope: 1, ldap_group_membership_attribute: 'none' }, ['outer', 'unique']],
    ['below the base for people when they have none', { ldap_group_base_dn: '' }, ['inner', 'outer', 'unique']],
    ['only by what the entry itself names', { ldap_group_base_dn: `ou=nothing,${BASE}` }, []],
  ])('groups are %s', async (_name, more, names) => {
    expect(await groupsOf('ann', more)).toEqual(names);
  });

  test('a group has the name that its attribute gives, or its DN', async () => {
    expect(await groupsOf('ann', { ldap_group_attribute_name: 'description', ldap_group_base_dn: `ou=inner,${GROUPS}` })).toEqual([`cn=inner,ou=inner,${GROUPS}`]);
    await server.replace(`cn=inner,ou=inner,${GROUPS}`, 'description', ['Inner circle']);
    expect(await groupsOf('ann', { ldap_group_attribute_name: 'description', ldap_group_base_dn: `ou=inner,${GROUPS}` })).toEqual(['Inner circle']);
  });

  test('who is in the group of administrators is one, also while no groups are taken over', async () => {
    const admin = async (name: string, more: Partial<Configuration>): Promise<boolean | undefined> => (await directory(more).find(name))?.admin;
    for (const more of [{}, { ldap_group_search_filter: '' }, { ldap_group_base_dn: `ou=inner,${GROUPS}` }]) {
      expect([await admin('ann', { ...more, ldap_group_admin_dn: groupDn('outer').toUpperCase() }), await admin('bob', { ...more, ldap_group_admin_dn: groupDn('outer') })]).toEqual([true, false]);
    }
    expect(await admin('ann', { ldap_group_admin_dn: groupDn('missing') })).toBe(false);
  });

  test('over ldap://, StartTLS and ldaps:// it is the same directory', async () => {
    const { port, securePort } = server.server;
    for (const url of [`ldap://127.0.0.1:${port}`, `127.0.0.1:${port}`, `ldaps://127.0.0.1:${securePort}`]) expect([url, await login('ann', { ldap_url: url })]).toEqual([url, 'ann']);
    expect(await login('ann', { ldap_url: `ldap://127.0.0.1:${port}`, ldap_start_tls: false, ldap_verify_cert: false })).toBe('ann');
  });
});
