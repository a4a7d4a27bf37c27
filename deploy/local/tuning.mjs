/**
 * How the processes that carry blobs use memory. Every chunk of a blob is a buffer of 64 KiB outside of V8's heap, which
 * V8 counts but the C library allocates.
 */
const CARRIES_BLOBS = new Set(['proxy', 'registry']);

/**
 * Node.js flags of a service.
 * @param {string} kind
 * @returns {string[]}
 */
export function nodeFlagsFor(kind) {
  // A small young generation is swept often, so the buffers of passed chunks go back soon instead of piling up.
  return CARRIES_BLOBS.has(kind) ? ['--max-semi-space-size=4'] : [];
}

/**
 * Environment variables that tune a service's process.
 * @param {string} kind
 * @returns {Record<string, string>}
 */
export function tuningEnvironment(kind) {
  if (!CARRIES_BLOBS.has(kind)) return {};
  return {
    // Several uploads sync to disk at once; four threads would make them wait for each other.
    UV_THREADPOOL_SIZE: '16',
    // glibc: keep freed chunks for the next ones instead of giving the pages back and faulting them in again, in one arena.
    MALLOC_ARENA_MAX: '1',
    MALLOC_TOP_PAD_: String(16 * 1024 * 1024),
    MALLOC_TRIM_THRESHOLD_: String(32 * 1024 * 1024),
    MALLOC_MMAP_THRESHOLD_: String(4 * 1024 * 1024),
  };
}
