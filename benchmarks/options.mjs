import { parseArgs } from 'node:util';

export const WORKLOAD_NAMES = ['memory', 'manifest', 'blob', 'pull', 'push', 'artifacts', 'tags', 'catalog', 'lists', 'logins', 'garbage', 'race'];
/** Those that take so long that nobody gets them without asking. */
export const ONLY_WHEN_NAMED = ['garbage', 'race'];
/** Those that only Haven can be measured with. */
const ONLY_HAVEN = ['lists', 'logins', 'garbage'];
export const PEER_NAMES = ['haven', 'distribution', 'nginx'];

export const USAGE = `npm run bench -- [options]
  --quick              fewer rounds, shorter loads, smaller large blob
  --only <names>       only these workloads: ${WORKLOAD_NAMES.join(', ')}
                       (${ONLY_WHEN_NAMED.join(', ')}: only when named here)
  --peers <names>      only these peers: ${PEER_NAMES.join(', ')}
  --rounds <1..50>     rounds per workload (default 5, quick 3)
  --blobs <20000..>    blobs among which garbage is collected (default 1000000, quick 100000)
  --minutes <1..1440>  how long the race takes (default 60, quick 1)
  --json <file>        also write every sample as JSON
  --cpu                also print the CPU time that every process used
  --profile <service>  CPU profiles of one Haven service (proxy, registry or core), one per workload
  --profile-dir <dir>  where profiles go (default ./bench-profiles)
  --dir <dir>          where temporary data goes (default: the system's temporary folder)
  --no-build           run what was built before
  --help`;

/** A fault in the command line: the text says what to write instead. */
export class UsageError extends Error {}

/** Turns command line arguments into one settings object; throws UsageError on anything unknown. */
export function parseOptions(argv) {
  const { values } = readArguments(argv);
  const quick = values.quick ?? false;
  const peers = pick('--peers', values.peers, PEER_NAMES);
  const named = pick('--only', values.only, WORKLOAD_NAMES, []);
  const withoutHaven = peers.includes('haven') ? undefined : named.find((name) => ONLY_HAVEN.includes(name));
  if (withoutHaven !== undefined) throw new UsageError(`--peers: ${withoutHaven} measures haven, and nobody else; add it`);
  return {
    help: values.help ?? false,
    quick,
    workloads: values.only === undefined ? WORKLOAD_NAMES.filter((name) => !ONLY_WHEN_NAMED.includes(name)) : named,
    peers,
    rounds: values.rounds === undefined ? (quick ? 3 : 5) : wholeNumber('--rounds', values.rounds, 1, 50),
    raceMinutes: values.minutes === undefined ? (quick ? 1 : 60) : wholeNumber('--minutes', values.minutes, 1, 1440),
    garbageBlobs: values.blobs === undefined ? (quick ? 100_000 : 1_000_000) : wholeNumber('--blobs', values.blobs, 20_000, 100_000_000),
    loadSeconds: quick ? 2 : 4,
    growthBytes: (quick ? 512 : 2048) * 1024 * 1024,
    build: !(values['no-build'] ?? false),
    cpu: values.cpu ?? false,
    json: values.json,
    profile: values.profile === undefined ? undefined : pick('--profile', values.profile, ['proxy', 'registry', 'core'])[0],
    profileDir: values['profile-dir'] ?? 'bench-profiles',
    dir: values.dir,
  };
}

function readArguments(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        quick: { type: 'boolean' }, cpu: { type: 'boolean' }, 'no-build': { type: 'boolean' }, help: { type: 'boolean' }, only: { type: 'string', multiple: true },
        peers: { type: 'string', multiple: true }, rounds: { type: 'string' }, minutes: { type: 'string' }, blobs: { type: 'string' }, json: { type: 'string' },
        profile: { type: 'string' }, 'profile-dir': { type: 'string' }, dir: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(`${error.message}\n${USAGE}`);
  }
}

function pick(option, given, known, standard = known) {
  if (given === undefined) return standard;
  const names = [given].flat().flatMap((text) => text.split(','));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`${option}: '${unknown}' is unknown; choose from ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

function wholeNumber(option, text, low, high) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high) throw new UsageError(`${option} takes a whole number from ${low} to ${high}, not '${text}'`);
  return value;
}
