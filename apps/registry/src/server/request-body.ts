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

/** Bytes of each body that cost nothing: what is pushed every day is smaller, and is never refused for the sake of large ones. */
const FREE = 64 * 1024;

/**
 * How many bytes of large bodies may be in memory at a time: of all requests together, and of those of one client, so that
 * nobody takes the room of all. Clients decide how slowly they send.
 */
export class BodyBudget {
  /** How long a body may keep what it took, in milliseconds; looked at whenever some of it comes. */
  readonly mostHeldMs: number;
  readonly #share: number;
  readonly #taken = new Map<string, number>();
  #left: number;

  constructor({ bytes, share, mostHeldMs }: { readonly bytes: number; readonly share: number; readonly mostHeldMs: number }) {
    this.#left = bytes;
    this.#share = share;
    this.mostHeldMs = mostHeldMs;
  }

  /** False when there is no room for so many bytes more. */
  take(client: string, bytes: number): boolean {
    const taken = (this.#taken.get(client) ?? 0) + bytes;
    if (bytes > this.#left || taken > this.#share) return false;
    this.#left -= bytes;
    this.#taken.set(client, taken);
    return true;
  }

  give(client: string, bytes: number): void {
    const taken = (this.#taken.get(client) ?? 0) - bytes;
    this.#left += bytes;
    if (taken > 0) this.#taken.set(client, taken);
    else this.#taken.delete(client);
  }
}

export interface BodyBounds {
  /** Bytes. */
  readonly most: number;
  /** What it is, for the refusal: "A manifest". */
  readonly what: string;
  /** What large ones are taken from, and for whom. */
  readonly from?: { readonly budget: BodyBudget; readonly client: string };
}

/**
 * A whole small body. Rejects with 413 as soon as it is known to exceed `most` bytes, and with 429 when too many large ones
 * are being read, without reading the rest; with 408 when a large one comes too slowly.
 */
export async function readBody(request: IncomingMessage, { most, what, from }: BodyBounds): Promise<Buffer> {
  const announced = announcedLength(request);
  if (announced !== undefined && announced > most) throw tooLarge(most, what);
  const begun = performance.now();
  const chunks: Buffer[] = [];
  let [length, taken] = [0, 0];
  try {
    for await (const chunk of bodyOf(request, () => undefined)) {
      length += chunk.length;
      if (length > most) throw tooLarge(most, what);
      const wanted = Math.max(0, length - FREE) - taken;
      if (from && wanted > 0) {
        if (!from.budget.take(from.client, wanted)) throw new OciError('TOOMANYREQUESTS', { message: `Too many large requests at once. ${what} this large can be sent again in a moment.`, headers: { 'retry-after': '2' } });
        taken += wanted;
        if (performance.now() - begun > from.budget.mostHeldMs) throw new OciError('UNSUPPORTED', { status: 408, message: `${what} this large must be sent within ${from.budget.mostHeldMs / 1000} seconds.` });
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  } finally {
    from?.budget.give(from.client, taken);
  }
}

function tooLarge(most: number, what: string): OciError {
  return new OciError('REQUEST_ENTITY_TOO_LARGE', { message: `${what} may have at most ${most} bytes.` });
}
