import type { IncomingMessage } from 'node:http';
import { OciError } from '@haven/oci';

/** The client went away, or lied about the length, before the whole body was here. */
export class BodyInterrupted extends Error {
  override readonly name = 'BodyInterrupted';
}

/** The announced length in bytes; undefined for a chunked body. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? (request.headers['transfer-encoding'] === undefined ? 0 : undefined) : Number(text);
}

/**
 * The body's chunks in order, handed on as they come; `onChunk` sees each one first. Ends with BodyInterrupted when the
 * client breaks off, so that a part never passes for the whole.
 */
export async function* bodyOf(request: IncomingMessage, onChunk: (chunk: Buffer) => void): AsyncIterable<Buffer> {
  // A consumer that stops early still wants to answer, so the connection must outlive the iteration.
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer> & AsyncIterable<Buffer>;
  try {
    for (let next = await nextChunk(chunks); !next.done; next = await nextChunk(chunks)) {
      onChunk(next.value);
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
  if (!request.complete) throw new BodyInterrupted('the client broke off the request');
}

async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw new BodyInterrupted('the client broke off the request', { cause: error });
  }
}

/** A whole small body. Rejects with 413 as soon as it is known to exceed `most` bytes, without reading the rest. */
export async function readBody(request: IncomingMessage, most: number, what: string): Promise<Buffer> {
  const announced = announcedLength(request);
  if (announced !== undefined && announced > most) throw tooLarge(most, what);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyOf(request, () => undefined)) {
    length += chunk.length;
    if (length > most) throw tooLarge(most, what);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(most: number, what: string): OciError {
  return new OciError('REQUEST_ENTITY_TOO_LARGE', { message: `${what} may have at most ${most} bytes.` });
}
