import { PROJECT } from '../peers/haven.mjs';
import { pushArtifact } from '../load/registry.mjs';
import { timeListing } from '../load/listing.mjs';
import { addRepositories, addRepositoryFiles, withDatabase } from './bulk.mjs';

const TEMPLATE = `${PROJECT}/template`;
const REPOSITORIES = 10_000;

/** The first page of the catalog of a company with ten thousand repositories. */
export const catalogPage = {
  name: 'catalog',
  metrics: [
    { key: 'p50', title: '_catalog, first 100 of 10,000: p50', unit: 'ms', better: 'less', targets: [] },
    { key: 'p95', title: '_catalog, first 100 of 10,000: p95', unit: 'ms', better: 'less', targets: [] },
  ],
  async prepare(bench, peer) {
    if (peer.name === 'nginx' && bench.peers.some((other) => other.name === 'distribution')) return;
    const { digest } = await pushArtifact(peer, TEMPLATE, 'latest', 1024);
    if (peer.name === 'haven') await withDatabase(peer, (client) => addRepositories(client, TEMPLATE, REPOSITORIES));
    else addRepositoryFiles(peer, digest, REPOSITORIES);
  },
  async measure(bench, peer) {
    const headers = await peer.authorization('registry:catalog:*');
    const check = ({ repositories }) => {
      if (repositories.length !== 100) throw new Error(`${peer.title}: a page of 100 repositories has ${repositories.length}`);
    };
    return timeListing(`${peer.url}/v2/_catalog?n=100`, headers, { times: 200, seconds: bench.options.loadSeconds, check });
  },
};
