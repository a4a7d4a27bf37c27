import { fileURLToPath } from 'node:url';
import { runCommand } from './command.mjs';

const COMPILER = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const ROOT = fileURLToPath(new URL('../../tsconfig.json', import.meta.url));

/** Brings the services' compiled code up to date; takes a second or two when it is. */
export async function build(session) {
  await runCommand(session, process.execPath, [COMPILER, '-b', ROOT], { seconds: 300 });
}
