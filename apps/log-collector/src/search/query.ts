import { parseArgs } from 'node:util';
import { isServiceName } from '../collect/parse-line.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** What of the logs is wanted. */
export interface Query {
  readonly directory: string;
  /** All when empty. */
  readonly services: readonly string[];
  readonly level: Level;
  readonly since: Date | undefined;
  readonly requestId: string | undefined;
  /** Lower case; looked for anywhere in the line. */
  readonly grep: string | undefined;
  readonly follow: boolean;
  /** The newest this many lines. */
  readonly lines: number;
  readonly json: boolean;
}

/** The command line cannot be understood; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Prints the log lines of all services in order of time.

  --dir <folder>       where the log collector keeps its files
  --service <name>     only of this service; may be repeated
  --level <level>      debug, info, warn or error, and what is worse (default debug)
  --since <time>       30s, 10m, 2h, 7d, or a time such as 2026-01-31T12:00:00Z
  --request-id <id>    only of this request
  --grep <text>        only lines that contain the text, in any case
  -n, --lines <count>  the newest so many lines (default 100; 10000 with --since or --request-id)
  -f, --follow         go on with new lines as they come
  --json               print the lines as they are stored
`;

/** @throws UsageError */
export function parseQuery(args: readonly string[], now: Date = new Date()): Query {
  const values = parsed(args);
  const level = LEVELS.find((one) => one === (values.level ?? 'debug'));
  if (level === undefined) throw new UsageError(`--level must be one of ${LEVELS.join(', ')}`);
  if (values.dir === undefined || values.dir === '') throw new UsageError('--dir is missing');
  const services = values.service ?? [];
  const unsafe = services.find((service) => !isServiceName(service));
  if (unsafe !== undefined) throw new UsageError(`there is no service called ${JSON.stringify(unsafe)}`);
  const since = values.since === undefined ? undefined : parseSince(values.since, now);
  const narrow = since !== undefined || values['request-id'] !== undefined;
  return {
    directory: values.dir,
    services,
    level,
    since,
    requestId: values['request-id'],
    grep: values.grep?.toLowerCase(),
    follow: values.follow ?? false,
    lines: parseCount(values.lines ?? (narrow ? '10000' : '100')),
    json: values.json ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string' },
        service: { type: 'string', multiple: true },
        level: { type: 'string' },
        since: { type: 'string' },
        'request-id': { type: 'string' },
        grep: { type: 'string' },
        lines: { type: 'string', short: 'n' },
        follow: { type: 'boolean', short: 'f' },
        json: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseSince(text: string, now: Date): Date {
  const relative = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[relative?.[2] ?? ''];
  const since = unit === undefined ? new Date(text) : new Date(now.getTime() - Number(relative?.[1]) * unit);
  if (Number.isNaN(since.getTime())) throw new UsageError(`--since ${JSON.stringify(text)} is neither a duration such as 10m nor a time`);
  return since;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text) || count > 1_000_000) throw new UsageError('--lines must be a number from 0 to 1000000');
  return count;
}
