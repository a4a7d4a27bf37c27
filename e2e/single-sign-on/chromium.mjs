import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { installDebianPackages } from '../install-clients.mjs';

const PROGRAM = '/usr/bin/chromium';

/** Why no browser can be driven here; undefined when one can. */
export const noBrowser = obstacle();

if (noBrowser) console.log(`The flows in a browser are skipped: ${noBrowser}.`);

/** Debian's Chromium, without a window. The sandbox needs rights that root in a container does not have; it opens only pages of these tests. */
export function startChromium() {
  return chromium.launch({ executablePath: PROGRAM, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

function obstacle() {
  if (existsSync(PROGRAM)) return undefined;
  if (!existsSync('/usr/bin/apt-get')) return 'they need the Chromium of a Debian system';
  if (process.getuid() !== 0) return 'run as root, or run: apt-get install --no-install-recommends chromium';
  try {
    installDebianPackages(['chromium']);
  } catch (error) {
    return error.message;
  }
  return existsSync(PROGRAM) ? undefined : `the package chromium brought no ${PROGRAM}`;
}
