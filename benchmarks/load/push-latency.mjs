import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { ArtifactPusher } from './artifact-pusher.mjs';

// A program of its own, so that nothing else of the benchmark delays its clocks.
// In (stdin, JSON): { url, repository, headers, clients, everyMs, seconds, prefix }: each client begins an artifact of a new
// 1 KiB layer and a new tag every `everyMs`, or as soon as the one before it is done. Out (stdout, JSON): { samples }, milliseconds.
const job = JSON.parse(await text(process.stdin));
const pusher = new ArtifactPusher(job.url, job.clients);
const repository = { name: job.repository, headers: job.headers };

const samples = [];
const started = performance.now();

async function client(place) {
  for (let count = 0; ; count += 1) {
    const due = started + (count + place / job.clients) * job.everyMs;
    if (due > started + job.seconds * 1000 || performance.now() > started + job.seconds * 1000) return;
    if (due > performance.now()) await sleep(due - performance.now());
    const begun = performance.now();
    await pusher.push(repository, `${job.prefix}-${place}-${count}`);
    samples.push(performance.now() - begun);
  }
}

await Promise.all(Array.from({ length: job.clients }, (_, place) => client(place)));
pusher.close();
process.stdout.write(JSON.stringify({ samples }));
