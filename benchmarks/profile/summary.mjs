import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Self time by function of a .cpuprofile, in milliseconds, greatest first; idle time is a function called "(idle)". */
export function selfTimes(profile) {
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node.callFrame)]));
  const times = new Map();
  profile.samples.forEach((id, index) => {
    const name = names.get(id);
    times.set(name, (times.get(name) ?? 0) + Math.max(0, profile.timeDeltas[index]) / 1000);
  });
  return [...times].map(([name, milliseconds]) => ({ name, milliseconds })).toSorted((a, b) => b.milliseconds - a.milliseconds);
}

function nameOf({ functionName, url, lineNumber }) {
  const place = url === '' ? '' : `  ${url.replace(/^file:\/\//, '').split('/').slice(-4).join('/')}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`;
}

/** The busiest functions as lines of text; shares are of the busy time, idle is said apart. */
export function summarise(profile, rows = 25) {
  const times = selfTimes(profile);
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const idle = times.find(({ name }) => name === '(idle)')?.milliseconds ?? 0;
  const busy = times.filter(({ name }) => name !== '(idle)');
  const lines = busy.slice(0, rows).map(({ name, milliseconds }) => `${(100 * milliseconds / (total - idle || 1)).toFixed(1).padStart(6)} %  ${milliseconds.toFixed(0).padStart(6)} ms  ${name}`);
  return [`busy ${(100 * (total - idle) / (total || 1)).toFixed(0)} % of ${total.toFixed(0)} ms`, ...lines].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of process.argv.slice(2)) console.log(`${file}\n${summarise(JSON.parse(readFileSync(file, 'utf8')), 40)}\n`);
}
