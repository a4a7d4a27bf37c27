import { randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { loopback } from './http.mjs';
import { MANIFEST_TYPE, manifestOf, sha256, withDigest } from './registry.mjs';

// A program of its own, so that its work does not share a thread with the rest of the benchmark.
// In (stdin, JSON): { url, repositories: [{ name, headers }], connections, seconds, most, prefix }.
// Out (stdout, JSON): { pushed, seconds, last: { repository, tag, digest } }.
const job = JSON.parse(await text(process.stdin));
const agent = new Agent({ keepAlive: true, maxSockets: job.connections });
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

async function pushOne(repository, tag) {
  const layer = randomBytes(1024);
  const digest = sha256(layer);
  const opened = await expect(202, 'POST', `/v2/${repository.name}/blobs/uploads/`, repository.headers);
  await expect(201, 'PUT', withDigest(new URL(opened.location, base).href, digest), { ...repository.headers, 'content-type': 'application/octet-stream' }, layer);
  const manifest = manifestOf({ digest, size: layer.length });
  await expect(201, 'PUT', `/v2/${repository.name}/manifests/${tag}`, { ...repository.headers, 'content-type': MANIFEST_TYPE }, manifest);
  return sha256(manifest);
}

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
    const digest = await pushOne(repository, tag);
    pushed += 1;
    last = { repository: repository.name, tag, digest };
  }
}

await Promise.all(Array.from({ length: job.connections }, worker));
const seconds = (performance.now() - started) / 1000;
agent.destroy();
process.stdout.write(JSON.stringify({ pushed, seconds, last }));
