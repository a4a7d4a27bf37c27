/** Since ES2024; older runtimes leave the memory to the garbage collector. */
interface DetachableBuffer extends ArrayBuffer {
  transfer?(length: number): ArrayBuffer;
}

/** Chunks below this size are not worth it, in bytes. */
const WORTH_BYTES = 16 * 1024;

/**
 * Gives the memory of a received chunk back now. Left to the garbage collector, the chunks of one fast stream cause a full
 * collection every 64 MiB, which costs as much time as moving the bytes does. Only for chunks that nobody else can see:
 * the chunk must own its whole memory, and whatever it was written to must be done with it.
 */
export function releaseChunk(chunk: Uint8Array): void {
  const memory = chunk.buffer as DetachableBuffer;
  if (isWorthReleasing(chunk)) memory.transfer?.(0);
}

/** Whether the chunk is large and the only view of its memory. */
export function isWorthReleasing(chunk: Uint8Array): boolean {
  return chunk.byteLength >= WORTH_BYTES && chunk.byteOffset === 0 && chunk.buffer.byteLength === chunk.byteLength;
}

/** A callback for `write` that releases the chunk unless writing failed: then something may still be looking at it. */
export function releaseWhenWritten(chunk: Buffer): (error?: Error | null) => void {
  return (error) => { if (error === undefined || error === null) releaseChunk(chunk); };
}
