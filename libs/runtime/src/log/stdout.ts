/** A reader that stalls must not make the service grow: beyond this many unread bytes lines are dropped and counted. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

let prepared = false;
let closed = false;
let dropped = 0;

/** Writes a line without ever blocking on a pipe. A closed pipe ends output silently: nobody is left to read it. */
export function writeToStdout(line: string): void {
  prepare();
  if (closed) return;
  if (process.stdout.writableLength > MAX_UNREAD_BYTES) {
    dropped++;
    return;
  }
  if (dropped > 0) reportDropped();
  process.stdout.write(`${line}\n`);
}

/** Resolves once everything written so far was taken over by the reader, or after `milliseconds`. */
export async function flushStdout(milliseconds: number): Promise<void> {
  if (closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    process.stdout.write('', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function prepare(): void {
  if (prepared) return;
  prepared = true;
  process.stdout.on('error', () => { closed = true; });
}

function reportDropped(): void {
  const count = dropped;
  dropped = 0;
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level: 'warn', service: 'runtime', message: 'log lines were dropped because nobody read standard output', dropped: count })}\n`);
}
