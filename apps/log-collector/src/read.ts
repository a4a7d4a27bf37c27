import { once } from 'node:events';
import { Follower } from './search/follow.js';
import { formatRecord } from './search/format.js';
import { newestRecords } from './search/newest.js';
import { parseQuery, USAGE, UsageError, type Query } from './search/query.js';
import type { LogRecord } from './search/record.js';

/** The command that prints the logs of all services: `node dist/read.js --help`. */
async function run(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    await print(parseQuery(args));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${USAGE}`);
    else process.stderr.write(`${explain(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function print(query: Query): Promise<void> {
  if (!query.follow) return write(await newestRecords(query), query);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort(); });
  const follower = await Follower.begin(query);
  await write(await newestRecords(query, follower.from), query);
  for await (const batch of follower.batches(stop.signal)) await write(batch, query);
}

async function write(records: readonly LogRecord[], query: Query): Promise<void> {
  for (const record of records) {
    if (!process.stdout.write(`${formatRecord(record, query.json)}\n`)) await once(process.stdout, 'drain');
  }
}

function explain(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there are no logs in ${path}; --dir must name the log collector's HAVEN_LOG_DIR`;
  return error instanceof Error ? error.message : String(error);
}

// `… | head` closes the pipe: that is how the reader says that it has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? 0 : 1); });
process.exitCode = await run(process.argv.slice(2));
