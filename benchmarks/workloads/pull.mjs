import { join } from 'node:path';
import { PROJECT } from '../peers/haven.mjs';
import { renewFile, timePush, writeRandomFile } from '../load/large-blob.mjs';
import { readScope } from '../load/registry.mjs';
import { timeDownload } from '../load/curl.mjs';
import { timeDiscardingDownload } from '../load/discard.mjs';
import { median } from '../report/statistics.mjs';

const REPOSITORY = `${PROJECT}/pull`;
const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
const PULLS = 3;

/**
 * One client that pulls one large layer; the median of three pulls is one sample. Once with curl, and once with a client
 * that takes the bytes without copying them: curl itself takes about as long as the faster servers do.
 */
export const largePull = {
  name: 'pull',
  metrics: [
    { key: 'rate', title: '256 MiB blob GET, one client', unit: 'MiB/s', better: 'more', targets: [{ than: 'distribution', ratio: 0.6 }, { than: 'nginx', ratio: 2.5 }] },
    { key: 'discarded', title: 'the same, client that discards', unit: 'MiB/s', better: 'more', targets: [{ than: 'distribution', ratio: 0.6 }, { than: 'nginx', ratio: 2.5 }] },
  ],
  digests: new Map(),
  async prepare(bench, peer) {
    const file = join(bench.session.dir, 'pull.bin');
    writeRandomFile(file, SIZE);
    const digest = await renewFile(file);
    await timePush(bench.session, peer, REPOSITORY, { file, size: SIZE, digest });
    this.digests.set(peer.name, digest);
    await this.measure(bench, peer);
  },
  async measure(bench, peer) {
    const headers = await peer.authorization(readScope(REPOSITORY));
    const url = `${peer.url}/v2/${REPOSITORY}/blobs/${this.digests.get(peer.name)}`;
    const seconds = [];
    for (let pull = 0; pull < PULLS; pull++) seconds.push(await timeDownload(bench.session, url, headers, SIZE));
    const discarded = [];
    for (let pull = 0; pull < PULLS; pull++) discarded.push(await timeDiscardingDownload(bench.session, url, headers, SIZE));
    return { rate: SIZE / MIB / median(seconds), discarded: SIZE / MIB / median(discarded) };
  },
};
