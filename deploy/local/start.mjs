import { join, resolve } from 'node:path';
import { prepare } from './install.mjs';

// `npm start`: makes a fresh clone ready, then runs the whole platform until Ctrl-C.
// Nothing that has to be installed may be imported before `prepare` has returned.

const ECHO_MS = 1_000;
const PARENT_POLL_MS = 1_000;

async function main() {
  await prepare((message) => console.log(message));
  const { ensureProgram } = await import('./system-packages.mjs');
  const { Platform } = await import('./platform.mjs');
  const { isSet } = await import('./settings.mjs');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name, value]) => name.startsWith('HAVEN_') && value !== ''));
  if (!isSet(env, 'HAVEN_REDIS_URL')) ensureProgram('redis-server', 'redis-server', (message) => console.log(message));
  const platform = new Platform({
    dataDir: resolve(env.HAVEN_DATA_DIR ?? join(import.meta.dirname, '../../data')),
    env,
    onEvent: (message) => console.error(message),
    ...(env.HAVEN_VERBOSE === '1' ? { onLine: (service, line) => console.log(`${service}: ${line}`) } : {}),
  });
  const stopping = stopOnSignals(platform);
  console.log('Starting …');
  try {
    await platform.start();
  } catch (error) {
    if (!stopping.aborted) throw error; // a stop while it starts ends the start; that is no fault
    return;
  }
  welcome(platform);
}

function welcome({ url, adminPassword, dataDir }) {
  const host = url.replace(/^https?:\/\//, '');
  console.log(`
Haven is ready: ${url}
  Administrator: admin
${adminPassword === undefined ? '' : `  Password:      ${adminPassword}\n                 (shown only this once)\n`}\
  Data:          ${dataDir}

Try it:
  docker login ${host} -u admin
  docker pull alpine && docker tag alpine ${host}/library/alpine && docker push ${host}/library/alpine

Ctrl-C stops it.`);
}

/** The first signal stops everything in order, a second one at once. npm and the terminal may both deliver one Ctrl-C. */
function stopOnSignals(platform) {
  const stopping = new AbortController();
  let first;
  const stop = (reason) => {
    if (first === undefined) {
      first = Date.now();
      stopping.abort();
      console.log(`\nStopping (${reason}; once more to force) …`);
      stopInOrder(platform);
    } else if (Date.now() - first >= ECHO_MS) {
      console.error('Stopped by force.');
      platform.kill();
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  if (process.env.npm_lifecycle_event !== undefined) whenParentEnds(() => stop('npm has ended'));
  // A closed terminal: nobody reads any more, and SIGHUP says the rest.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('uncaughtException', (error) => {
    console.error(error);
    process.exitCode = 1;
    stop('a fault of the launcher');
  });
  return stopping.signal;
}

function stopInOrder(platform) {
  platform.stop().then(() => {
    console.log('Stopped.');
    process.exit();
  }, (error) => {
    console.error(error.message);
    process.exit(1);
  });
}

/** npm that is killed does not pass it on. */
function whenParentEnds(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, PARENT_POLL_MS);
  timer.unref();
}

main().catch((error) => {
  console.error(`\n${error.message}`);
  process.exit(1);
});
