import { join } from 'node:path';
import { PROJECT } from '../peers/haven.mjs';
import { renewFile, timePush, writeRandomFile } from '../load/large-blob.mjs';
import { runCommand } from '../session/command.mjs';

const REPOSITORY = `${PROJECT}/push`;
const MIB = 1024 * 1024;
const SIZE = 256 * MIB;

/** One client that pushes one large layer the way docker does: POST, PATCH (chunked), PUT. New bytes each time, so nothing is deduplicated. */
export const largePush = {
  name: 'push',
  metrics: [{ key: 'rate', title: '256 MiB blob push, one client', unit: 'MiB/s', better: 'more', targets: [{ than: 'distribution', ratio: 1.5 }] }],
  async prepare(bench, peer) {
    writeRandomFile(source(bench), SIZE);
    await this.measure(bench, peer);
  },
  async measure(bench, peer) {
    const file = source(bench);
    const digest = await renewFile(file);
    // What earlier pushes left in the page cache is written out first: everybody starts with an idle disk.
    await runCommand(bench.session, 'sync', [], { seconds: 120 });
    const seconds = await timePush(bench.session, peer, REPOSITORY, { file, size: SIZE, digest });
    return { rate: SIZE / MIB / seconds };
  },
};

const source = (bench) => join(bench.session.dir, 'push.bin');
