import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { machineTime, othersShare } from '../../load/cpu.mjs';
import { request, succeeded } from '../../load/http.mjs';
import { timeRequests } from '../../load/repeated.mjs';
import { median } from '../../report/statistics.mjs';
import { pagesOf } from './pages.mjs';
import { seedLists } from './seed.mjs';

const MEMBER = 'lists-member';
const VERSION_KEYS = new URL('../../../libs/oci/dist/index.js', import.meta.url);

/**
 * The lists of core in a large installation: rows of { title, as, target, one, eight, cpu } with percentiles and rates for one
 * client and for eight and the platform's CPU milliseconds a request, medians of all rounds, and the share of the machine that others used meanwhile.
 */
export async function measureLists(bench) {
  const haven = bench.peers.find(({ name }) => name === 'haven');
  if (haven === undefined) return { rows: [], others: 0 };
  const { callers, labels } = await prepare(haven);
  const rows = pagesOf(labels).flatMap(({ as, ...page }) => as.map((who) => ({ ...page, as: who, one: [], eight: [], cpu: [] })));
  for (const row of rows) await checkPage(haven, row, callers[row.as]);
  const before = { machine: machineTime(), own: ownSeconds(haven) };
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const row of rows) await measurePage(bench, haven, row, callers[row.as]);
    console.error(`lists ${round + 1}/${bench.options.rounds}`);
  }
  const others = othersShare(before.machine, machineTime(), ownSeconds(haven) - before.own);
  return { rows: rows.map(({ one, eight, cpu, ...row }) => ({ ...row, one: medians(one), eight: medians(eight), cpu: median(cpu) })), others };
}

async function prepare(haven) {
  const password = `Bench-${randomBytes(9).toString('hex')}`;
  const body = JSON.stringify({ username: MEMBER, password, email: `${MEMBER}@bench.test`, realname: MEMBER });
  succeeded(await request(`${haven.url}/api/v2.0/users`, { method: 'POST', headers: { ...haven.administrator, 'content-type': 'application/json' }, body }), 201, `making the account ${MEMBER}`);
  const { versionKey } = await import(VERSION_KEYS.href);
  const client = new pg.Client({ connectionString: haven.databaseUrl });
  await client.connect();
  try {
    const { labels } = await seedLists(client, { member: MEMBER, versionKey });
    const member = { authorization: `Basic ${Buffer.from(`${MEMBER}:${password}`).toString('base64')}` };
    return { labels, callers: { admin: haven.administrator, member, anonymous: {} } };
  } finally {
    await client.end();
  }
}

/** A page with fewer rows than it should have would be fast for the wrong reason. */
async function checkPage(haven, { title, path, as, rows, total }, headers) {
  const answer = succeeded(await request(address(haven, path), { headers }), 200, `${title} as ${as}`);
  const body = JSON.parse(answer.body.toString());
  if (rows !== undefined && body.length !== rows) throw new Error(`${title} as ${as}: ${body.length} rows instead of ${rows}`);
  const counted = Number(answer.headers['x-total-count']);
  if (total !== undefined && counted !== total) throw new Error(`${title} as ${as}: X-Total-Count is ${counted} instead of ${total}`);
}

async function measurePage(bench, haven, row, headers) {
  const url = address(haven, row.path);
  // A password is looked into once a minute: not in this minute, and not in these figures.
  succeeded(await request(url, { headers }), 200, `${row.title} as ${row.as}`);
  const seconds = bench.options.loadSeconds / 4;
  const before = platformSeconds(haven);
  const one = await timeRequests(url, headers, { connections: 1, seconds });
  const eight = await timeRequests(url, headers, { connections: 8, seconds, least: 40 });
  row.one.push(one);
  row.eight.push(eight);
  row.cpu.push((1000 * (platformSeconds(haven) - before)) / (one.count + eight.count));
}

const address = (haven, path) => `${haven.url}/api/v2.0${path}`;
const medians = (rounds) => Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((round) => round[key]))]));

/** CPU seconds of the platform and of this program. */
function ownSeconds(haven) {
  const { user, system } = process.cpuUsage();
  return platformSeconds(haven) + (user + system) / 1_000_000;
}

function platformSeconds(haven) {
  return Object.values(haven.cpu()).reduce((sum, seconds) => sum + seconds, 0);
}
