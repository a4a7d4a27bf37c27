import { afterEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandAs, databaseUser, giveTo } from './system-user.mjs';

const folder = mkdtempSync(join(tmpdir(), 'haven-user-test-'));

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run({ command, args, ...ids }) {
  return execFileSync(command, args, { cwd: '/', encoding: 'utf8', ...ids }).trim();
}

(process.getuid() === 0 ? describe : describe.skip)('run by root', () => {
  test('the database has a user of its own, who passes through closed folders only', () => {
    const user = databaseUser();
    expect(user.uid).toBeGreaterThan(0);
    const inside = join(folder, 'closed/inside');
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    giveTo(inside, user);
    const script = `
      const fs = require('node:fs');
      fs.accessSync(${JSON.stringify(inside)}, fs.constants.R_OK | fs.constants.W_OK);
      fs.writeFileSync(${JSON.stringify(join(inside, 'written'))}, '');
      let refused = 'nothing';
      try { fs.writeFileSync(${JSON.stringify(join(folder, 'closed/other'))}, ''); } catch (error) { refused = error.code; }
      console.log(process.getuid(), process.getgroups().join(), refused);`;
    const command = commandAs(user, process.execPath, ['-e', script], [process.execPath, inside]);
    expect(command.command).toBe('setpriv');
    expect(run(command)).toBe(`${user.uid} ${user.gid} EACCES`);
  });

  test('where no folder is closed, no capability is needed', () => {
    const user = databaseUser();
    expect(commandAs(user, '/usr/bin/id', ['-u'], ['/usr/bin/id'])).toEqual({ command: '/usr/bin/id', args: ['-u'], ...user });
    expect(run(commandAs(user, '/usr/bin/id', ['-u'], ['/usr/bin/id']))).toBe(String(user.uid));
  });

  test('giving a folder away does not follow links out of it', () => {
    const user = databaseUser();
    const given = join(folder, 'given');
    mkdirSync(given, { recursive: true });
    writeFileSync(join(folder, 'mine'), '');
    symlinkSync(join(folder, 'mine'), join(given, 'link'));
    giveTo(given, user);
    expect(statSync(given).uid).toBe(user.uid);
    expect(statSync(join(folder, 'mine')).uid).toBe(0);
  });
});
