import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { PROJECT } from '../peers/haven.mjs';
import { CONFIG, MANIFEST_TYPE, checkBody, putBlob, readScope, writeScope } from '../load/registry.mjs';
import { runCommand } from '../session/command.mjs';

const PROGRAM = fileURLToPath(new URL('../load/push-artifacts.mjs', import.meta.url));
const ONE = [`${PROJECT}/artifacts-one`];
const MANY = Array.from({ length: 100 }, (_, number) => `${PROJECT}/artifacts-${String(number).padStart(3, '0')}`);
const CONNECTIONS = 16;

/** Many small pushes: charts, signatures, attestations. The cost is the bookkeeping, not the bytes. */
export const smallArtifacts = {
  name: 'artifacts',
  metrics: [
    { key: 'one', title: '1 KiB artifacts into 1 repository', unit: 'pushes/s', better: 'more', targets: [{ atLeast: 100 }] },
    { key: 'many', title: '1 KiB artifacts across 100 repositories', unit: 'pushes/s', better: 'more', targets: [{ atLeast: 200 }] },
  ],
  async prepare(bench, peer) {
    for (const repository of [...ONE, ...MANY]) await putBlob(peer, repository, CONFIG);
    await pushFor(bench, peer, ONE, 1);
  },
  async measure(bench, peer) {
    return { one: await pushFor(bench, peer, ONE, bench.options.loadSeconds), many: await pushFor(bench, peer, MANY, bench.options.loadSeconds) };
  },
};

async function pushFor(bench, peer, names, seconds) {
  const repositories = [];
  for (const name of names) repositories.push({ name, headers: await peer.authorization(writeScope(name)) });
  const job = { url: peer.url, repositories, connections: CONNECTIONS, seconds, most: 20_000, prefix: randomBytes(4).toString('hex') };
  const result = JSON.parse(await runCommand(bench.session, process.execPath, [PROGRAM], { seconds: seconds + 60, input: JSON.stringify(job) }));
  const { repository, tag, digest } = result.last;
  const headers = { ...await peer.authorization(readScope(repository)), accept: MANIFEST_TYPE };
  await checkBody(peer, `${peer.url}/v2/${repository}/manifests/${tag}`, headers, digest);
  return result.pushed / result.seconds;
}
