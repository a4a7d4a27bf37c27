import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { request, succeeded } from './http.mjs';
import { openUpload, withDigest, writeScope } from './registry.mjs';
import { timePatch } from './curl.mjs';

const PIECE = 16 * 1024 * 1024;

/** A file of random bytes. Pieces repeat after 64 MiB: no registry looks for that, and it saves time. */
export function writeRandomFile(path, size) {
  const pieces = Array.from({ length: Math.min(4, Math.ceil(size / PIECE)) }, () => randomFillSync(Buffer.allocUnsafe(PIECE)));
  const file = openSync(path, 'w');
  try {
    for (let offset = 0; offset < size; offset += PIECE) writeSync(file, pieces[(offset / PIECE) % pieces.length], 0, Math.min(PIECE, size - offset));
  } finally {
    closeSync(file);
  }
}

/** Makes the file new to every registry by changing its first bytes; gives back its digest. */
export async function renewFile(path) {
  const file = openSync(path, 'r+');
  writeSync(file, randomBytes(32), 0, 32, 0);
  closeSync(file);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

/** POST, PATCH, PUT of one file: seconds that the three requests took together. */
export async function timePush(session, peer, repository, { file, size, digest }) {
  const headers = await peer.authorization(writeScope(repository));
  const started = performance.now();
  const location = await openUpload(peer, repository, headers);
  const opened = performance.now();
  const patch = await timePatch(session, location, headers, file, size);
  const finishing = performance.now();
  const answer = await request(withDigest(new URL(patch.location ?? location, peer.url).href, digest), { method: 'PUT', headers, seconds: 300 });
  succeeded(answer, 201, `${peer.title}: PUT blob into ${repository}`);
  return (opened - started) / 1000 + patch.seconds + (performance.now() - finishing) / 1000;
}
