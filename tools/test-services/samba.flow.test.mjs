import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createRunFolder } from './run-folder.mjs';
import { obstacle } from './samba.mjs';

const reason = obstacle();
if (reason !== undefined) console.warn(`The domain controller is not tested: ${reason}`);

(reason === undefined ? describe : describe.skip)('a domain controller', () => {
  test('ends when its launcher is killed, and the next run removes its files', async () => {
    const launcher = spawn(process.execPath, [join(import.meta.dirname, 'samba.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(launcher.stdout), 'line');
    const { address, unnamedAddress, authority } = JSON.parse(line);
    for (const host of [address, unnamedAddress]) expect(await isOpen(host)).toBe(true);
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    for (let tries = 0; await isOpen(address) && tries < 100; tries += 1) await new Promise((done) => void setTimeout(done, 50));
    expect(await isOpen(address)).toBe(false);

    const folder = resolve(dirname(authority), '..');
    expect(existsSync(folder)).toBe(true);
    rmSync(await createRunFolder(), { recursive: true });
    expect(existsSync(folder)).toBe(false);
  }, 600_000);
});

function isOpen(host) {
  return new Promise((done) => {
    const socket = connect({ host, port: 636 });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
