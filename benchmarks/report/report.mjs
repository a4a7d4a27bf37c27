import { median, pairedRatio, spread } from './statistics.mjs';
import { figure, formatTable, mebibytes, ratio } from './table.mjs';

/**
 * One line of the report: { metric, samples: peer name → one value per round } becomes medians, ratios (above 1 = Haven is
 * better, whatever the unit) and the verdict on every target.
 */
export function evaluate({ metric, samples }) {
  const medians = Object.fromEntries(Object.entries(samples).map(([peer, values]) => [peer, median(values)]));
  const ratios = {};
  for (const peer of Object.keys(samples)) {
    if (peer !== 'haven' && samples.haven !== undefined) ratios[peer] = pairedRatio(samples.haven, samples[peer], metric.better);
  }
  const verdicts = metric.targets.map((target) => verdict(target, medians.haven, ratios));
  const spreads = Object.fromEntries(Object.entries(samples).map(([peer, values]) => [peer, spread(values)]));
  return { metric, medians, ratios, verdicts, spreads };
}

function verdict(target, own, ratios) {
  if (target.than !== undefined) {
    const names = { distribution: 'direct', nginx: 'nginx' };
    return { text: `≥ ${target.ratio}× ${names[target.than]}`, met: compare(ratios[target.than], (value) => value >= target.ratio) };
  }
  if (target.atLeast !== undefined) return { text: `≥ ${target.atLeast}`, met: compare(own, (value) => value >= target.atLeast) };
  return { text: `≤ ${target.atMost}`, met: compare(own, (value) => value <= target.atMost) };
}

const compare = (value, test) => (value === undefined ? undefined : test(value));

/** "≥ 5× direct met" for every target of a line; a target whose peer did not run is "not measured". */
export function verdictText(verdicts) {
  return verdicts.map(({ text, met }) => `${text} ${met === undefined ? 'not measured' : met ? 'met' : 'MISSED'}`).join(', ');
}

/** The table of speeds. */
export function speedTable(evaluations) {
  const header = ['workload', 'unit', 'Haven', 'Distribution', 'behind nginx', 'vs direct', 'vs nginx', 'spread', 'target'];
  const rows = evaluations.map(({ metric, medians, ratios, verdicts, spreads }) => [
    metric.title, metric.unit, figure(medians.haven), figure(medians.distribution), figure(medians.nginx),
    ratio(ratios.distribution), ratio(ratios.nginx), `${(100 * Math.max(...Object.values(spreads))).toFixed(0)} %`, verdictText(verdicts),
  ]);
  return formatTable(header, rows, { left: [0, 1, 8] });
}

/** The table of memory: rows of { service, idle, after, growth } in bytes; the limit holds for Haven's services. */
export function memoryTable(rows, limit, growthBytes) {
  const header = ['resident memory, MiB', 'idle', 'after the run', `growth, ${figure(growthBytes / 1024 ** 3)} GiB blob`, 'target'];
  return formatTable(header, rows.map(({ peer, service, idle, after, growth }) => [
    peer === 'haven' ? service : `(${service})`, mebibytes(idle), mebibytes(after), mebibytes(growth),
    peer === 'haven' && growth !== undefined ? verdictText([{ text: `≤ ${limit / 1024 ** 2}`, met: growth <= limit }]) : '',
  ]), { left: [0, 4] });
}

/** The table of lists: rows of { title, as, target, one, eight, cpu }, times in milliseconds; targets hold for one client's 95th percentile. */
export function listTable(rows) {
  const header = ['list', 'as', 'p50', 'p95', 'p99', 'req/s', '8 clients: p50', 'p95', 'p99', 'req/s', 'CPU ms', 'target'];
  const figures = ({ p50, p95, p99, rate }) => [p50, p95, p99, rate].map(figure);
  return formatTable(header, rows.map((row) => [row.title, row.as, ...figures(row.one), ...figures(row.eight), figure(row.cpu), verdictText([listVerdict(row)])]), { left: [0, 1, 11] });
}

/** The verdict on one row of the lists. */
export function listVerdict({ target, one }) {
  return { text: `≤ ${target}`, met: one.p95 <= target };
}

/** The table of logins: rows as those of lists, but targets hold for eight clients, too. */
export function loginTable(rows) {
  const header = ['login', 'somebody in', 'p50', 'p95', 'p99', 'a second', '8 clients: p50', 'p95', 'p99', 'a second', 'CPU ms', 'target'];
  const figures = ({ p50, p95, p99, rate }) => [p50, p95, p99, rate].map(figure);
  return formatTable(header, rows.map((row) => [row.title, row.as, ...figures(row.one), ...figures(row.eight), figure(row.cpu), verdictText([loginVerdict(row)])]), { left: [0, 1, 11] });
}

/** The verdict on one row of the logins. */
export function loginVerdict({ target, one, eight }) {
  return { text: `≤ ${target}`, met: Math.max(one.p95, eight.p95) <= target };
}

/** The table of CPU time: entries of { workload, peer, round, seconds: process → CPU seconds }; medians over the rounds. */
export function cpuTable(entries) {
  const rows = [...Map.groupBy(entries, ({ workload, peer }) => `${workload} ${peer}`).values()].map((rounds) => {
    const names = Object.keys(rounds[0].seconds);
    const medians = names.map((name) => [name, median(rounds.map(({ seconds }) => seconds[name]))]);
    const used = medians.filter(([, seconds]) => seconds >= 0.01).map(([name, seconds]) => `${name} ${figure(seconds)}`);
    return [rounds[0].workload, rounds[0].peer, figure(medians.reduce((sum, [, seconds]) => sum + seconds, 0)), used.join(', ')];
  });
  return formatTable(['CPU seconds a round', 'peer', 'together', 'by process'], rows, { left: [0, 1, 3] });
}
