/**
 * Hands every chunk of a source to `take`, waiting for what it returns. Resolves to the source's own error if
 * that is how it ends. When `take` fails, tells the source to stop and rejects.
 */
export async function drain(source: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => Promise<void> | undefined): Promise<unknown> {
  const chunks = source[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await chunks.next();
    } catch (error) {
      return error ?? new Error('The source of an upload failed without saying why.');
    }
    if (next.done === true) return undefined;
    try {
      await take(next.value);
    } catch (error) {
      // Not awaited and its outcome not looked at: a source that hangs while it stops must not hide the real error.
      void Promise.resolve(chunks.return?.()).catch(() => undefined);
      throw error;
    }
  }
}
