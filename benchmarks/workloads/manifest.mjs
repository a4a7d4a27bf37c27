import { PROJECT } from '../peers/haven.mjs';
import { MANIFEST_TYPE, checkBody, pushArtifact, readScope } from '../load/registry.mjs';
import { runWrk } from '../load/wrk.mjs';

const REPOSITORY = `${PROJECT}/manifest`;

/** Small reads: what every deployment of every node does first. */
export const manifestByTag = {
  name: 'manifest',
  metrics: [{ key: 'rate', title: 'manifest GET by tag, 32 connections', unit: 'req/s', better: 'more', targets: [{ than: 'distribution', ratio: 5 }] }],
  async prepare(bench, peer) {
    const pushed = await pushArtifact(peer, REPOSITORY, 'latest', 1024);
    const headers = { ...await peer.authorization(readScope(REPOSITORY)), accept: MANIFEST_TYPE };
    await checkBody(peer, address(peer), headers, pushed.digest);
  },
  async measure(bench, peer) {
    const headers = { ...await peer.authorization(readScope(REPOSITORY)), accept: MANIFEST_TYPE };
    const { requestsPerSecond } = await runWrk(bench.session, address(peer), { headers, connections: 32, seconds: bench.options.loadSeconds });
    return { rate: requestsPerSecond };
  },
};

const address = (peer) => `${peer.url}/v2/${REPOSITORY}/manifests/latest`;
