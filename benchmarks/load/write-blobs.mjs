import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

// A program of its own, so that several of them share the work.
// In (stdin, JSON): { root, kinds: [{ text, count }], part, parts }: blob number n of a kind holds "<text> <n>", n from 1 on;
// this program writes those with n % parts = part. Out (stdout, JSON): { blobs, bytes }. Nothing is synced.
const job = JSON.parse(await text(process.stdin));
const BLOBS = 'docker/registry/v2/blobs/sha256';

/** By the first two digits, because neighbours in one folder are written faster. */
function contentsByShard() {
  const shards = Map.groupBy(contents(), ({ hex }) => hex.slice(0, 2));
  return [...shards].sort(([one], [other]) => (one < other ? -1 : 1));
}

function* contents() {
  for (const kind of job.kinds) {
    for (let number = 1; number <= kind.count; number += 1) {
      if (number % job.parts !== job.part) continue;
      const content = `${kind.text} ${number}`;
      yield { content, hex: createHash('sha256').update(content).digest('hex') };
    }
  }
}

let [blobs, bytes] = [0, 0];
for (const [shard, members] of contentsByShard()) {
  const place = join(job.root, BLOBS, shard);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  for (const { content, hex } of members) {
    mkdirSync(`${place}/${hex}`, { mode: 0o700 });
    const file = openSync(`${place}/${hex}/data`, 'wx', 0o600);
    bytes += writeSync(file, content);
    closeSync(file);
    blobs += 1;
  }
}
process.stdout.write(JSON.stringify({ blobs, bytes }));
