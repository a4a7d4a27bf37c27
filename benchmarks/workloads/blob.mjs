import { PROJECT } from '../peers/haven.mjs';
import { checkBody, pushArtifact, readScope } from '../load/registry.mjs';
import { runWrk } from '../load/wrk.mjs';

const REPOSITORY = `${PROJECT}/blob`;
const SIZE = 1024 * 1024;

/** Many clients that pull the same medium-sized layer. */
export const mebibyteBlob = {
  name: 'blob',
  metrics: [{ key: 'rate', title: '1 MiB blob GET, 32 connections', unit: 'MiB/s', better: 'more', targets: [] }],
  digests: new Map(),
  async prepare(bench, peer) {
    const { layer } = await pushArtifact(peer, REPOSITORY, 'latest', SIZE);
    this.digests.set(peer.name, layer.digest);
    await checkBody(peer, address(peer, layer.digest), await peer.authorization(readScope(REPOSITORY)), layer.digest);
  },
  async measure(bench, peer) {
    const headers = await peer.authorization(readScope(REPOSITORY));
    const url = address(peer, this.digests.get(peer.name));
    const { bytesPerSecond } = await runWrk(bench.session, url, { headers, connections: 32, seconds: bench.options.loadSeconds });
    return { rate: bytesPerSecond / (1024 * 1024) };
  },
};

const address = (peer, digest) => `${peer.url}/v2/${REPOSITORY}/blobs/${digest}`;
