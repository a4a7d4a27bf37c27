import { text } from 'node:stream/consumers';
import { ArtifactPusher } from './artifact-pusher.mjs';

// A program of its own, so that its work does not share a thread with the rest of the benchmark.
// In (stdin, JSON): { url, repositories: [{ name, headers }], connections, seconds, most, prefix }.
// Out (stdout, JSON): { pushed, seconds, last: { repository, tag, digest } }.
const job = JSON.parse(await text(process.stdin));
const pusher = new ArtifactPusher(job.url, job.connections);

const started = performance.now();
const deadline = started + job.seconds * 1000;
let begun = 0;
let pushed = 0;
let last;

async function worker() {
  while (performance.now() < deadline && begun < job.most) {
    const number = begun++;
    const repository = job.repositories[number % job.repositories.length];
    const tag = `${job.prefix}-${number}`;
    const digest = await pusher.push(repository, tag);
    pushed += 1;
    last = { repository: repository.name, tag, digest };
  }
}

await Promise.all(Array.from({ length: job.connections }, worker));
const seconds = (performance.now() - started) / 1000;
pusher.close();
process.stdout.write(JSON.stringify({ pushed, seconds, last }));
