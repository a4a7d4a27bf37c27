import { randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { loopback } from './http.mjs';
import { MANIFEST_TYPE, manifestOf, sha256, withDigest } from './registry.mjs';

// A program of its own, so that nothing else of the benchmark delays its clocks.
// In (stdin, JSON): { url, repository, headers, clients, everyMs, seconds, prefix }: each client begins an artifact of a new
// 1 KiB layer and a new tag every `everyMs`, or as soon as the one before it is done. Out (stdout, JSON): { samples }, milliseconds.
const job = JSON.parse(await text(process.stdin));
const agent = new Agent({ keepAlive: true, maxSockets: job.clients });
const base = loopback(job.url);

function send(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method, agent, headers: { ...headers, 'content-length': body?.length ?? 0 } }, (incoming) => {
      let answer = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk) => { answer = (answer + chunk).slice(0, 500); });
      incoming.once('error', reject);
      incoming.once('end', () => resolve({ status: incoming.statusCode, location: incoming.headers.location, answer }));
    });
    outgoing.setTimeout(30_000, () => outgoing.destroy(new Error(`${method} ${url}: no answer within 30 s`)));
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function expect(status, method, path, headers, body) {
  const url = new URL(path, base);
  const result = await send(method, url, headers, body);
  if (result.status !== status) throw new Error(`${method} ${url.pathname}: ${result.status} ${result.answer}`);
  return result;
}

async function pushOne(tag) {
  const { repository, headers } = job;
  const layer = randomBytes(1024);
  const digest = sha256(layer);
  const begun = performance.now();
  const opened = await expect(202, 'POST', `/v2/${repository}/blobs/uploads/`, headers);
  await expect(201, 'PUT', withDigest(new URL(opened.location, base).href, digest), { ...headers, 'content-type': 'application/octet-stream' }, layer);
  await expect(201, 'PUT', `/v2/${repository}/manifests/${tag}`, { ...headers, 'content-type': MANIFEST_TYPE }, manifestOf({ digest, size: layer.length }));
  return performance.now() - begun;
}

const samples = [];
const started = performance.now();

async function client(place) {
  for (let count = 0; ; count += 1) {
    const due = started + (count + place / job.clients) * job.everyMs;
    if (due > started + job.seconds * 1000 || performance.now() > started + job.seconds * 1000) return;
    if (due > performance.now()) await sleep(due - performance.now());
    samples.push(await pushOne(`${job.prefix}-${place}-${count}`));
  }
}

await Promise.all(Array.from({ length: job.clients }, (_, place) => client(place)));
agent.destroy();
process.stdout.write(JSON.stringify({ samples }));
