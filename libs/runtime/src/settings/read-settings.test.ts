import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { readSettings, SettingsError } from './read-settings.js';
import { redactedSettings } from './redacted-settings.js';
import { runtimeSettings } from './runtime-settings.js';
import { addressRanges, flag, listenAddress, url, urlList, wholeNumber } from './setting.js';

const schema = z.object({
  ...runtimeSettings(9081),
  HAVEN_DATABASE_URL: url('postgres'),
  HAVEN_ADMIN_PASSWORD: z.string().min(8).optional(),
  HAVEN_SECRET_KEY_FILE: z.string().optional(),
});
const DATABASE = { HAVEN_DATABASE_URL: 'postgres://haven:hunter2@db/haven' };

function faultsOf(env: Record<string, string>): SettingsError {
  try {
    readSettings(schema, env);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('readSettings', () => {
  let folder: string;
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'haven-settings-')); });
  afterAll(() => { rmSync(folder, { recursive: true }); });

  test('fills in defaults, and takes an empty variable for an unset one', () => {
    expect(readSettings(schema, { ...DATABASE, HAVEN_LOG_LEVEL: '' })).toEqual({
      HAVEN_LOG_LEVEL: 'info', HAVEN_PRIVATE_LISTEN: { host: '127.0.0.1', port: 9081 }, HAVEN_REDIS_URL: 'redis://127.0.0.1:6379', HAVEN_SHUTDOWN_SECONDS: 30, ...DATABASE,
    });
  });

  test('reads a value from the file that NAME_FILE names, without its last line feed', () => {
    const path = join(folder, 'password');
    writeFileSync(path, 'correct horse \n');
    expect(readSettings(schema, { ...DATABASE, HAVEN_ADMIN_PASSWORD_FILE: path }).HAVEN_ADMIN_PASSWORD).toBe('correct horse ');
  });

  test('does not read the file of a setting that is itself called …_FILE', () => {
    expect(readSettings(schema, { ...DATABASE, HAVEN_SECRET_KEY_FILE: '/nowhere' }).HAVEN_SECRET_KEY_FILE).toBe('/nowhere');
  });

  test('lists every fault with its name, what was given and what is expected, and no secret', () => {
    const error = faultsOf({ HAVEN_LOG_LEVEL: 'loud', HAVEN_PRIVATE_LISTEN: '127.0.0.1:99999', HAVEN_SHUTDOWN_SECONDS: '0', HAVEN_ADMIN_PASSWORD: 'hunter2', HAVEN_REDIS_URL: 'http://x:hunter2@y' });
    expect(error.faults.map((fault) => fault.name).sort()).toEqual(['HAVEN_ADMIN_PASSWORD', 'HAVEN_DATABASE_URL', 'HAVEN_LOG_LEVEL', 'HAVEN_PRIVATE_LISTEN', 'HAVEN_REDIS_URL', 'HAVEN_SHUTDOWN_SECONDS']);
    expect(error.message).toContain('HAVEN_LOG_LEVEL: given "loud"; expected debug, info, warn or error');
    expect(error.message).toContain('HAVEN_DATABASE_URL: not set');
    expect(error.message).toContain('a whole number from 1 to 3600');
    expect(error.message).not.toContain('hunter2');
  });

  test('refuses a value given twice, a missing file and a file that is too big', () => {
    const big = join(folder, 'big');
    writeFileSync(big, 'x'.repeat(70_000));
    expect(faultsOf({ ...DATABASE, HAVEN_DATABASE_URL_FILE: big }).message).toContain('set only one of the two');
    expect(faultsOf({ HAVEN_DATABASE_URL_FILE: join(folder, 'absent') }).message).toContain('ENOENT');
    expect(faultsOf({ HAVEN_DATABASE_URL_FILE: '/dev/zero' }).message).toContain('too big');
    expect(faultsOf({ HAVEN_DATABASE_URL_FILE: big }).faults).toHaveLength(1);
  });

  test('prints settings without their secrets', () => {
    const values = readSettings(schema, { ...DATABASE, HAVEN_ADMIN_PASSWORD: 'hunter2hunter2' });
    expect(JSON.stringify(redactedSettings(schema, values))).not.toContain('hunter2');
    expect(redactedSettings(schema, values)).toMatchObject({ HAVEN_DATABASE_URL: 'postgres://[redacted]@db/haven', HAVEN_SHUTDOWN_SECONDS: 30 });
  });
});

describe('setting', () => {
  test.each([['127.0.0.1:80', { host: '127.0.0.1', port: 80 }], ['[::1]:0', { host: '::1', port: 0 }], [':8080', { host: '::', port: 8080 }], ['localhost:1', { host: 'localhost', port: 1 }]])('listenAddress reads %s', (text, address) => {
    expect(listenAddress().parse(text)).toEqual(address);
  });

  test.each(['', '80', 'a:b', 'a:65536', '[::1]', '::1:80', 'a b:80', 'a:-1'])('listenAddress refuses "%s"', (text) => {
    expect(listenAddress().safeParse(text).success).toBe(false);
  });

  test.each(['', '1.5', '1e3', ' 1', '0x10', '11', '-1', '9'.repeat(16)])('wholeNumber(0, 10) refuses "%s"', (text) => {
    expect(wholeNumber(0, 10).safeParse(text).success).toBe(false);
  });

  test('reads flags and lists of URLs', () => {
    expect([flag().parse('yes'), flag().parse('0'), flag().safeParse('on').success]).toEqual([true, false, false]);
    expect(urlList('http').parse('http://a:1/, http://b')).toEqual(['http://a:1', 'http://b']);
    expect([urlList('http').safeParse(',').success, urlList('http').safeParse('http://a,ftp://b').success]).toEqual([false, false]);
  });

  test('reads address ranges and names the wrong one', () => {
    expect(addressRanges().parse('10.0.0.0/8').includes('10.2.3.4')).toBe(true);
    expect(addressRanges().safeParse('10.0.0.0/8,10.0.0.0/33').error?.issues[0]?.message).toContain('"10.0.0.0/33"');
  });
});
