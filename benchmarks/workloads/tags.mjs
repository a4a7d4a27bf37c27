import { PROJECT } from '../peers/haven.mjs';
import { pushArtifact, readScope } from '../load/registry.mjs';
import { timeListing } from '../load/listing.mjs';
import { addTagFiles, addTags, withDatabase } from './bulk.mjs';

const REPOSITORY = `${PROJECT}/tags`;
const TAGS = 100_000;

/** The first page of a repository that a build server has filled for years. */
export const tagsPage = {
  name: 'tags',
  metrics: [
    { key: 'p50', title: 'tags, first 100 of 100,000: p50', unit: 'ms', better: 'less', targets: [] },
    { key: 'p95', title: 'tags, first 100 of 100,000: p95', unit: 'ms', better: 'less', targets: [{ atMost: 20 }] },
  ],
  async prepare(bench, peer) {
    // nginx shows Distribution's own repositories: they are there already.
    if (peer.name === 'nginx' && bench.peers.some((other) => other.name === 'distribution')) return;
    const { digest } = await pushArtifact(peer, REPOSITORY, 'latest', 1024);
    if (peer.name === 'haven') await withDatabase(peer, (client) => addTags(client, REPOSITORY, TAGS));
    else addTagFiles(peer, REPOSITORY, digest, TAGS);
  },
  async measure(bench, peer) {
    const headers = await peer.authorization(readScope(REPOSITORY));
    const check = ({ tags }) => {
      // Distribution 2.8 knows no pages of tags: it answers all of them, and is let off with that.
      if (tags.length !== 100 && !(peer.name !== 'haven' && tags.length === TAGS + 1)) throw new Error(`${peer.title}: a page of 100 tags has ${tags.length}`);
    };
    return timeListing(`${peer.url}/v2/${REPOSITORY}/tags/list?n=100`, headers, { times: 200, seconds: bench.options.loadSeconds, check });
  },
};
