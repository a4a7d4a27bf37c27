import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { prepare } from './install.mjs';

// `npm run logs -- …`: searches and follows the logs that the log collector has stored on this machine.

const root = resolve(import.meta.dirname, '../..');

await prepare((message) => console.error(message));
const dataDir = resolve(process.env.HAVEN_DATA_DIR ?? join(root, 'data'));
const folder = process.env.HAVEN_LOG_DIR ?? join(dataDir, 'logs');
if (!existsSync(folder)) {
  console.error(`There are no logs in ${folder}. Start Haven first (npm start), or name its folder: HAVEN_DATA_DIR=<folder>.`);
  process.exit(1);
}
const reader = spawn(process.execPath, [join(root, 'apps/log-collector/dist/read.js'), '--dir', folder, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => reader.kill(signal));
reader.once('exit', (code, signal) => process.exit(signal === 'SIGINT' ? 0 : code ?? 1));
