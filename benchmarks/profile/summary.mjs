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

/** Self time by origin: a package, a folder of this project, a module of Node; native code counts for whoever called it. */
export function timesByOrigin(profile) {
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const originOf = (id) => {
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const { url, functionName } = nodes.get(at).callFrame;
      if (url !== '') return originOfUrl(url);
      if (functionName.startsWith('(') && functionName !== '(root)') return functionName;
    }
    return '(native)';
  };
  const times = new Map();
  profile.samples.forEach((id, index) => {
    const origin = originOf(id);
    times.set(origin, (times.get(origin) ?? 0) + Math.max(0, profile.timeDeltas[index]) / 1000);
  });
  return [...times].map(([name, milliseconds]) => ({ name, milliseconds })).toSorted((a, b) => b.milliseconds - a.milliseconds);
}

function originOfUrl(url) {
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(url)?.[1];
  return packageName ?? /((?:apps|libs)\/[^/]+\/dist(?:\/[^/]+)?)/.exec(url)?.[1] ?? url;
}

/** The busiest functions and origins as lines of text; shares are of the busy time, idle is said apart. */
export function summarise(profile, rows = 25) {
  const times = selfTimes(profile);
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const idle = times.find(({ name }) => name === '(idle)')?.milliseconds ?? 0;
  const lines = (list, count) => list.filter(({ name }) => name !== '(idle)').slice(0, count)
    .map(({ name, milliseconds }) => `${(100 * milliseconds / (total - idle || 1)).toFixed(1).padStart(6)} %  ${milliseconds.toFixed(0).padStart(6)} ms  ${name}`);
  return [`busy ${(100 * (total - idle) / (total || 1)).toFixed(0)} % of ${total.toFixed(0)} ms`,
    ...lines(times, rows), 'by origin:', ...lines(timesByOrigin(profile), 15)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of process.argv.slice(2)) console.log(`${file}\n${summarise(JSON.parse(readFileSync(file, 'utf8')), 40)}\n`);
}
