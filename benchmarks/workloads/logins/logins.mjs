import pg from 'pg';
import { cpuOf, familyOf, machineTime, othersShare } from '../../load/cpu.mjs';
import { percentile } from '../../report/statistics.mjs';
import { companyEntries, everywhereName, EVERYWHERE, groupsOf, LEVELS, PEOPLE, personName } from './company.mjs';
import { doorsOf } from './doors.mjs';

// Loaded late: these need the compiled libraries.
const PLATFORM = new URL('../../../e2e/haven.mjs', import.meta.url);
const DIRECTORY = new URL('../../../apps/core/dist/identity/ldap/testing/open-ldap.js', import.meta.url);

/** Milliseconds that 95 of 100 logins may take at most. */
const TARGET = 1000;
/** Logins of one round with one door and so many clients. */
const MOST_A_CELL = 80;
const MOST_OF_EVERYWHERE = 10;
const sum = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

/**
 * Logins of people of an OpenLDAP with 3,000 people and 2,000 nested groups, on a platform of its own (an installation
 * that has accounts cannot change how people log in). Everybody logs in for the first time once, and then again once: no
 * password is remembered from an earlier time. Rows of { title, as, target, one, eight, cpu } as for the lists, with
 * percentiles over all rounds.
 */
export async function measureLogins({ session, options }) {
  const [{ Haven }, ldap] = await Promise.all([import(PLATFORM.href), import(DIRECTORY.href)]);
  const obstacle = await ldap.openLdapObstacle();
  if (obstacle !== undefined) throw new Error(`there is no OpenLDAP: ${obstacle}`);
  const haven = await Haven.start();
  session.onClose(() => haven.stop());
  const directory = await ldap.OpenLdap.start(companyEntries(ldap));
  session.onClose(() => directory.stop());
  const answer = await haven.admin.request('PUT', '/configurations', { auth_mode: 'ldap_auth', ...directory.settings() });
  if (answer.status !== 200) throw new Error(`the directory was refused: ${await answer.text()}`);
  const company = new Logins(haven, ldap.DIRECTORY_PASSWORD);
  const before = { machine: machineTime(), own: company.ownSeconds() };
  const rows = await company.measure(await doorsOf(haven.url), options.rounds);
  const others = othersShare(before.machine, machineTime(), company.ownSeconds() - before.own);
  await company.check();
  return { rows, others };
}

class Logins {
  #haven;
  #password;
  #people = 0;
  #everywhere = 0;

  constructor(haven, password) {
    this.#haven = haven;
    this.#password = password;
  }

  async measure(doors, rounds) {
    const count = Math.min(MOST_A_CELL, Math.floor(PEOPLE / (doors.length * 2 * rounds)));
    const people = doors.map((door) => ({ door, rows: rowsOf(door.title, 'ten teams, about 40 groups with those above'), names: (amount) => this.#next(amount), count }));
    const special = { door: doors[0], rows: rowsOf(doors[0].title, 'all 2,000 groups'), names: (amount) => this.#nextEverywhere(amount), count: Math.min(MOST_OF_EVERYWHERE, Math.floor(EVERYWHERE / (2 * rounds))) };
    for (let round = 0; round < rounds; round++) {
      for (const { door, rows, names, count: amount } of [...people, special]) await this.#cell(door, rows, names, amount);
      console.error(`logins ${round + 1}/${rounds}: p95 ${people.map(({ rows: [first] }) => `${percentile(first.eight.samples, 0.95).toFixed(0)} ms`).join(', ')}`);
    }
    return [...people, special].flatMap(({ rows }) => rows.map(summed));
  }

  async #cell(door, [first, again], names, amount) {
    for (const [clients, key] of [[1, 'one'], [8, 'eight']]) {
      const these = names(amount);
      await this.#timed(door, these, clients, first, key);
      await this.#timed(door, these, clients, again, key);
    }
  }

  async #timed(door, names, clients, row, key) {
    const waiting = [...names];
    const before = this.#platformSeconds();
    const begun = performance.now();
    const client = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const sent = performance.now();
        await door.logIn(name, this.#password);
        row[key].samples.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    row[key].seconds += (performance.now() - begun) / 1000;
    row.cpu += this.#platformSeconds() - before;
  }

  #next(amount) {
    return Array.from({ length: amount }, () => personName(this.#people++));
  }

  #nextEverywhere(amount) {
    return Array.from({ length: amount }, () => everywhereName(this.#everywhere++));
  }

  /** A login that finds fewer groups than there are would be fast for the wrong reason. */
  async check() {
    const client = new pg.Client({ connectionString: this.#haven.platform.databaseUrl });
    await client.connect();
    try {
      for (const [name, groups] of [[personName(0), groupsOf(0).size], [personName(this.#people - 1), groupsOf(this.#people - 1).size], [everywhereName(0), sum(LEVELS)]]) {
        const { rows: [row] } = await client.query('SELECT count(*)::int AS groups FROM user_group_member m JOIN haven_user u ON u.id = m.user_id WHERE u.username = $1', [name]);
        if (row.groups !== groups) throw new Error(`${name} is in ${row.groups} groups instead of ${groups}`);
      }
    } finally {
      await client.end();
    }
  }

  /** CPU seconds of the platform and of this program; those of the directory are others'. */
  ownSeconds() {
    const { user, system } = process.cpuUsage();
    return this.#platformSeconds() + (user + system) / 1_000_000;
  }

  #platformSeconds() {
    const { services, redis, postgres } = this.#haven.platform;
    const processes = Object.fromEntries([...Object.entries(services), ['redis', redis]].map(([name, { pid }]) => [name, [pid]]));
    return sum(Object.values(cpuOf({ ...processes, postgres: familyOf(postgres.pid) })));
  }
}

/** A row for those who come for the first time and one for those who were here before. */
function rowsOf(door, as) {
  return ['first time', 'again'].map((when) => ({ title: `${door}, ${when}`, as, target: TARGET, one: { samples: [], seconds: 0 }, eight: { samples: [], seconds: 0 }, cpu: 0 }));
}

function summed({ one, eight, cpu, ...row }) {
  const figures = ({ samples, seconds }) => ({ ...Object.fromEntries([50, 95, 99].map((share) => [`p${share}`, percentile(samples, share / 100)])), rate: samples.length / seconds, count: samples.length });
  return { ...row, one: figures(one), eight: figures(eight), cpu: (1000 * cpu) / (one.samples.length + eight.samples.length) };
}
