import { describe, expect, test } from '@jest/globals';
import { configurationOf, ConfigurationsReq, ConfigurationsResponse, SETTING_NAMES, SETTINGS, settingOf, type SettingName } from './configuration.js';

describe('configurationOf', () => {
  test('is the initial values while nothing is stored', () => {
    expect(configurationOf(new Map())).toMatchObject({
      auth_mode: 'db_auth', project_creation_restriction: 'everyone', read_only: false, self_registration: false, token_expiration: 30, robot_name_prefix: 'robot$',
      notification_enable: true, quota_per_project_enable: true, storage_per_project: -1, session_timeout: 60, bin_retention_days: 7, banner_message: '', ldap_timeout: 5,
    });
  });

  test('holds what is stored, and nothing that is no setting', () => {
    expect(configurationOf(new Map<string, unknown>([['read_only', true], ['storage_per_project', 5], ['other', 1]]))).toMatchObject({ read_only: true, storage_per_project: 5 });
    expect(configurationOf(new Map([['other', 1]]))).not.toHaveProperty('other');
  });

  test('holds no secrets', () => {
    const configuration = configurationOf(new Map([['ldap_search_password', 'v1.sealed']]));
    for (const name of ['ldap_search_password', 'oidc_client_secret', 'uaa_client_secret']) expect(configuration).not.toHaveProperty(name);
  });

  test.each([['read_only', 'true'], ['token_expiration', 0], ['token_expiration', 1.5], ['robot_name_prefix', ''], ['auth_mode', 'none'], ['storage_per_project', 0], ['read_only', null]])(
    'goes on with no stored value that cannot be: %s %j', (name, value) => {
      expect(() => configurationOf(new Map<string, unknown>([[name, value]]))).toThrow(name);
    });

  test('goes on with a filter that earlier versions took, so that it can be set anew', () => {
    const stored = new Map([['oidc_group_filter', '^(?!tmp-)']]);
    expect(configurationOf(stored)).toMatchObject({ oidc_group_filter: '^(?!tmp-)', auth_mode: 'db_auth' });
    expect(settingOf('oidc_group_filter').fault('^(?!tmp-)')).toContain('must be a regular expression');
  });
});

test('every initial value is one that may be set, except where only "not set yet" is empty', () => {
  for (const name of SETTING_NAMES) {
    const { type, initial, fault } = settingOf(name);
    const unset = initial === '' && fault(initial) === 'must not be empty';
    expect([name, type.safeParse(initial).success, unset || fault(initial) === undefined]).toEqual([name, true, true]);
  }
});

describe('faults', () => {
  const faulty: readonly [SettingName, unknown][] = [
    ['auth_mode', 'saml_auth'], ['project_creation_restriction', ''], ['robot_name_prefix', ''], ['robot_name_prefix', '  '], ['robot_name_prefix', 'a:b'], ['ldap_url', ' '],
    ['ldap_uid', ''], ['ldap_scope', 3], ['ldap_scope', -1], ['token_expiration', 0], ['token_expiration', 1441], ['session_timeout', 0], ['session_timeout', 10_000_000_000],
    ['robot_token_duration', -1], ['storage_per_project', 0], ['storage_per_project', -2], ['storage_per_project', 1024 ** 5 + 1], ['bin_retention_days', -1],
    ['bin_retention_days', 3651], ['audit_log_forward_endpoint', 'host'], ['audit_log_forward_endpoint', 'host:1/path'], ['oidc_extra_redirect_parms', '[1]'],
    ['oidc_extra_redirect_parms', '{"a":1}'], ['oidc_extra_redirect_parms', 'x'], ['disabled_audit_log_event_types', 'a;b'],
    ['oidc_group_filter', '('], ['oidc_group_filter', '(?=dev)'], ['oidc_group_filter', '(a{100}){10}'],
  ];
  test.each(faulty)('%s cannot be %j', (name, value) => {
    expect(settingOf(name).fault(value)).toMatch(/^must /);
  });

  const right: readonly [SettingName, unknown][] = [
    ['auth_mode', 'db_auth'], ['robot_name_prefix', 'robot_'], ['token_expiration', 1440], ['session_timeout', 9_999_999_999], ['storage_per_project', -1],
    ['storage_per_project', 1024 ** 5], ['bin_retention_days', 0], ['audit_log_forward_endpoint', 'logs.example.org:514'], ['audit_log_forward_endpoint', '[::1]:514'],
    ['audit_log_forward_endpoint', ''], ['oidc_group_filter', '^(?:dev|ops)-'], ['oidc_group_filter', '(a+)+$'], ['oidc_extra_redirect_parms', '{"a":"b"}'], ['ldap_scope', 0],
  ];
  test.each(right)('%s can be %j', (name, value) => {
    expect(settingOf(name).fault(value)).toBeUndefined();
  });
});

describe('what a request may hold', () => {
  test('is checked for its types, and keys that nobody knows are dropped', () => {
    expect(ConfigurationsReq.parse({ read_only: true, unknown_key: 1, scan_all_policy: {}, token_expiration: null })).toEqual({ read_only: true, token_expiration: null });
  });

  test.each([{ read_only: 'true' }, { token_expiration: '30' }, { token_expiration: 1.5 }, { banner_message: 5 }, { banner_message: 'a\0b' }, { robot_name_prefix: ['a'] }, [], 'text'])('%j is refused', (body) => {
    expect(ConfigurationsReq.safeParse(body).success).toBe(false);
  });
});

test('an answer has an item for every setting, of the right kind', () => {
  const items = Object.fromEntries(SETTING_NAMES.map((name) => [name, { value: SETTINGS[name].initial, editable: true }]));
  expect(ConfigurationsResponse.parse(items)).toEqual(items);
});
