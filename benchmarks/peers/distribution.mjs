import { closeSync, openSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuOf } from '../load/cpu.mjs';
import { lastLines } from '../session/command.mjs';
import { programPath } from '../session/packages.mjs';
import { freePort, waitForPort } from '../session/ports.mjs';

/**
 * CNCF Distribution with the configuration that Debian ships, minus its password file: no authentication at all,
 * which is the easiest case for the peer. `dataDir` is its storage root, for workloads that fill it in bulk.
 */
export async function startDistribution(session) {
  const port = await freePort();
  const dir = session.folder('distribution');
  const dataDir = session.folder('distribution/data');
  const log = join(dir, 'log');
  writeFileSync(join(dir, 'config.yml'), configuration(dataDir, port));
  const output = openSync(log, 'a');
  const child = session.spawn(programPath('docker-registry'), ['serve', join(dir, 'config.yml')], { stdio: ['ignore', 'ignore', output] });
  closeSync(output);
  try {
    await waitForPort(port, child, 20);
  } catch (error) {
    throw new Error(`${error.message}\n${lastLines(readFileSync(log, 'utf8'))}`);
  }
  return {
    name: 'distribution',
    title: 'Distribution',
    url: `http://127.0.0.1:${port}`,
    dataDir,
    processes: { distribution: [child.pid] },
    cpu: () => cpuOf({ distribution: [child.pid] }),
    authorization: async () => ({}),
  };
}

function configuration(dataDir, port) {
  return `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: ${JSON.stringify(dataDir)}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`;
}
