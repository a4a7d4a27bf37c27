import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

const CHUNK = 64 * 1024;

/** The lines of a rotated file from first to last. */
export async function* linesForward(path: string): AsyncGenerator<string> {
  const raw = createReadStream(path);
  const input = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // `pipe` does not hand errors on, and readline does not throw them: both would look like the end of the file.
  let failure: unknown;
  raw.on('error', (error: Error) => { input.destroy(error); });
  input.on('error', (error: Error) => { failure = error; });
  yield* createInterface({ input, crlfDelay: Infinity });
  if (failure !== undefined) throw failure;
}

/** The whole lines within the first `end` bytes from last to first; stops reading as soon as the consumer does. */
export async function* linesBackward(handle: FileHandle, end: number): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for (let position = end; position > 0;) {
    const start = Math.max(0, position - CHUNK);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(position - start), 0, position - start, start);
    const block: Buffer = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
    position = start;
    const first = start === 0 ? -1 : block.indexOf(0x0a);
    if (start > 0 && first === -1) {
      rest = block;
      continue;
    }
    rest = block.subarray(0, first + 1);
    const lines = block.toString('utf8', first + 1).split('\n');
    for (const line of lines.reverse()) if (line !== '') yield line;
  }
}
